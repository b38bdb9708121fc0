import CkptBase
import CkptFormats
import CkptTestSupport
import Testing

@testable import CkptHuggingFace

struct ExactNameTests {
  @Test("Tensors whose names only Unicode calls the same both return from a folder")
  func returns() throws {
    let file = TorchFileBuilder()
    let names = [Spellings.composed, Spellings.decomposed]
    let directory = try TemporaryDirectory()
    try directory.write(file.bytes(file.stateDict(names.map { ($0, [2]) })), to: "model.pt")
    let checkpoint = try CheckpointFile.read(directory / "model.pt")
    let sidecar = OLMoSidecar(kind: .model, groupSize: 1)
    let document = try #require(try sidecar.document(of: checkpoint))
    let restoration = try sidecar.restore(
      document, tensorsOf: checkpoint.graph, droppingUnsafe: false)
    guard case .whole(let returned) = restoration else {
      Issue.record("\(restoration)")
      return
    }
    #expect(returned.graph.reachableTensors().count == 2)
  }
}
