import CkptBase
import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptTestSupport

extension SafetensorsFile {
  /// Reads the file.
  func read(droppingUnsafe: Bool = false) throws -> Checkpoint {
    try SafetensorsReader.read(
      TemporaryFile.holding(bytes), ReadingOptions(dropsUnsafe: droppingUnsafe))
  }
}
