import Bytes
import Graph
import Safetensors
import TestSupport

extension SafetensorsFile {
  /// What the reader makes of it.
  func read(droppingUnsafe: Bool = false) throws -> Checkpoint {
    try SafetensorsReader.read(
      TemporaryFile.holding(bytes), ReadingOptions(dropsUnsafe: droppingUnsafe))
  }
}
