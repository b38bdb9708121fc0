import CkptBase
import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptTestSupport

extension SafetensorsFile {
  /// What the reader makes of it.
  func read(droppingUnsafe: Bool = false) throws -> Checkpoint {
    try SafetensorsReader.read(
      TemporaryFile.holding(bytes), ReadingOptions(dropsUnsafe: droppingUnsafe))
  }
}
