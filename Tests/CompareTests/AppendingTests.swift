import CkptBase
import CkptCompare
import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing
import CkptTorch

@Suite("Graphs that take in others")
struct AppendingTests {
  static let names = [
    "plain/lightning-style.ckpt", "plain/objects.pt", "plain/whole-module.pt",
    "torch-corpus/torch-2.13.0/numpy_objects.pt", "torch-corpus/torch-2.13.0/recursive.pt",
    "torch-corpus/torch-2.13.0/shared_objects.pt", "torch-corpus/torch-2.13.0/sparse.pt",
    "torch-corpus/torch-2.13.0/views.pt",
  ]

  @Test("What is taken in stays what it was, whatever is there already", arguments: names)
  func keepsObjects(name: String) throws {
    let original = try TorchReader.read(FileSource(path: Fixture.path(name))).graph
    var graph = try TorchReader.read(FileSource(path: Fixture.path("plain/objects.pt"))).graph
    for _ in 1...2 {
      let shift = try graph.append(original)
      graph.root = shift(original.root)
      let comparison = try GraphComparison(.init(original, .objects), .init(graph, .objects))
      #expect(comparison.lines == [])
      for pair in comparison.tensorPairs {
        let found = TensorBytes(graph[pair.second], of: graph)
        #expect(found == TensorBytes(original[pair.first], of: original))
      }
      #expect(try LeafWalk.leaves(of: graph).all.count == LeafWalk.leaves(of: original).all.count)
    }
  }
}
