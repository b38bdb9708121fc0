import CkptBase
import CkptCompare
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

/// Tensors that are known to have equal bytes before any are read.
struct TensorBytesTests {
  private static func matrix(_ graph: inout TensorGraph, _ file: any ByteSource) throws -> TensorID
  {
    let region = FileRegion(source: file, range: 0..<24, name: "data/0")
    let storage = graph.add(
      Storage(
        key: "0", dtype: .float32, location: "cpu", byteCount: 24, region: region,
        isBigEndian: false))
    let node = try graph.add(.none)
    graph.add(
      Tensor(
        node: node, dtype: .float32, shape: [3, 2], strides: [2, 1], offset: 0, storage: storage))
    guard case .tensor(let id) = graph[node] else {
      throw CheckpointError(.unsupported, "no tensor")
    }
    return id
  }

  @Test("Rows that were split and joined are the tensor's bytes, in another order they are not")
  func joined() throws {
    let file = try TemporaryFile.holding(Array(0..<24))
    var (first, second) = (TensorGraph(), TensorGraph())
    let whole = try Self.matrix(&first, file)
    let other = try Self.matrix(&second, file)
    let rows = try (0..<3).map { try second.addRows($0..<$0 + 1, of: other) }
    let again = try second.addJoined(rows)
    let turned = try second.addJoined([rows[1], rows[0], rows[2]])
    let turnedAgain = try second.addJoined([rows[1], rows[0], rows[2]])
    let expected = try #require(TensorBytes(first[whole], of: first))
    #expect(TensorBytes(second[again], of: second) == expected)
    let bytes = try #require(TensorBytes(second[turned], of: second))
    #expect(bytes != expected)
    #expect(bytes.segments.count == 3)
    #expect(TensorBytes(second[turnedAgain], of: second) == bytes)
  }

  @Test("A tensor that is cast has other bytes")
  func cast() throws {
    let file = try TemporaryFile.holding(Array(0..<24))
    var graph = TensorGraph()
    let whole = try Self.matrix(&graph, file)
    let before = try #require(TensorBytes(graph[whole], of: graph))
    graph.castFloats(to: .bfloat16)
    let cast = try #require(TensorBytes(graph[whole], of: graph))
    #expect(cast != before)
    #expect(cast.segments.reduce(0) { $0 + $1.byteCount } == 12)
  }

  @Test("A joined tensor and an ordinary one are compared by names and shapes like any others")
  func comparison() throws {
    let file = try TemporaryFile.holding(Array(0..<24))
    var (first, second) = (TensorGraph(), TensorGraph())
    let whole = try Self.matrix(&first, file)
    let other = try Self.matrix(&second, file)
    let rows = try [1..<3, 0..<1].map { try second.addRows($0, of: other) }
    let joined = try second.addJoined(rows)
    first.root = try first.addDict([(try first.addString("w"), first[whole].node)])
    second.root = try second.addDict([(try second.addString("w"), second[joined].node)])
    let comparison = try GraphComparison(
      .init(first, .names(metadata: [])), .init(second, .names(metadata: [])))
    #expect(comparison.differences.first.isEmpty)
    #expect(comparison.tensorPairs.map(\.name) == ["w"])
  }
}
