import CkptBase
import CkptGraph
import Testing

struct TensorGraphTests {
  @Test("Containers that grow in turns keep their own children in order")
  func interleavedGrowth() throws {
    var graph = TensorGraph()
    var runs = [NodeRun](repeating: .empty, count: 3)
    var expected = [[Int]](repeating: [], count: 3)
    for value in 0..<600 {
      let container = value % 7 % 3
      let node = try graph.add(.int(value))
      graph.append([node], to: &runs[container])
      expected[container].append(value)
    }
    for (run, values) in zip(runs, expected) {
      #expect(graph[run].map { graph.int($0) } == values)
    }
  }

  @Test("Growth in batches, as pickles fill lists")
  func batches() throws {
    var graph = TensorGraph()
    var (first, second) = (NodeRun.empty, NodeRun.empty)
    for batch in 0..<5 {
      var nodes: [NodeID] = []
      for value in 0..<1000 { nodes.append(try graph.add(.int(batch * 1000 + value))) }
      graph.append(nodes[...], to: &first)
      graph.append(nodes[..<3], to: &second)
    }
    #expect(graph[first].map { graph.int($0) } == Array(0..<5000))
    #expect(graph[second].count == 15)
  }

  @Test("Everything that can be reached is met once, from left to right")
  func reachable() throws {
    var graph = TensorGraph()
    let name = try graph.addString("x")
    let inner = try graph.add(.list(graph.addChildren([name, TensorGraph.none])))
    let root = try graph.add(.tuple(graph.addChildren([inner, name, inner])))
    #expect(graph.reachable(from: [root]) == [root, inner, name, TensorGraph.none])
  }

  @Test("A node holds a tensor if a tensor can be reached from it, through cycles too")
  func holding() throws {
    var graph = TensorGraph()
    let tensor = try graph.add(.none)
    graph.add(
      Tensor(node: tensor, dtype: .float32, shape: [], strides: [], offset: 0, storage: nil))
    let plain = try graph.add(.list(.empty))
    let cycle = try graph.add(.list(.empty))
    let holder = try graph.add(.list(graph.addChildren([plain, tensor, cycle])))
    graph.replace(cycle, with: .list(graph.addChildren([holder])))
    let root = try graph.add(.tuple(graph.addChildren([plain, cycle])))
    let holds = graph.nodesHoldingTensors()
    #expect([tensor, cycle, holder, root].allSatisfy { holds[Int($0.index)] })
    #expect(!holds[Int(plain.index)])
  }

  struct ContiguityCase: CustomTestStringConvertible {
    var testDescription: String
    var shape: [Int]
    var strides: [Int]
    var isContiguous: Bool
  }

  static let contiguity = [
    ContiguityCase(testDescription: "a scalar", shape: [], strides: [], isContiguous: true),
    ContiguityCase(
      testDescription: "row-major", shape: [2, 3], strides: [3, 1], isContiguous: true),
    ContiguityCase(
      testDescription: "column-major", shape: [2, 3], strides: [1, 2], isContiguous: false),
    ContiguityCase(testDescription: "every second", shape: [5], strides: [2], isContiguous: false),
    ContiguityCase(
      testDescription: "expanded", shape: [3, 4], strides: [0, 0], isContiguous: false),
    ContiguityCase(
      testDescription: "the stride of one element means nothing",
      shape: [1, 3, 1], strides: [99, 1, 7], isContiguous: true),
    ContiguityCase(testDescription: "empty", shape: [2, 0], strides: [7, 9], isContiguous: true),
    ContiguityCase(
      testDescription: "empty, with sizes whose product overflows", shape: [0, 1 << 62, 1 << 62],
      strides: [.max, 1 << 62, 1], isContiguous: true),
  ]

  @Test("Contiguous means packed in row-major order", arguments: contiguity)
  func contiguous(_ test: ContiguityCase) {
    let tensor = Tensor(
      node: TensorGraph.none, dtype: .float32, shape: test.shape, strides: test.strides, offset: 0,
      storage: nil)
    #expect(tensor.isContiguous == test.isContiguous)
  }
}
