import CkptBase
import CkptFormats
import CkptGraph
import CkptTestSupport

extension TorchFileBuilder {
  /// The graph that a file with this object is read as.
  func graph(_ object: PickledValue) throws -> TensorGraph {
    let directory = try TemporaryDirectory()
    try directory.write(bytes(object), to: "a.pt")
    return try CheckpointFile.read(directory / "a.pt").graph
  }
}
