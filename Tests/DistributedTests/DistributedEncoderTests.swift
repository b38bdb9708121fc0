import CkptBase
import CkptContainer
import CkptCopy
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptDistributed

@Suite("A state dict is cut into chunks, and put together again")
struct DistributedEncoderTests {
  /// A state dict under construction.
  private struct StateDict {
    var graph = TensorGraph()

    mutating func tensor(_ shape: [Int], from first: Int = 0) throws -> NodeID {
      let count = shape.reduce(1, *)
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: first + $0) }
      let source = MemorySource(elements: bytes, name: "memory")
      return try graph.addPackedTensor(
        .uint8, shape, key: String(graph.storages.count),
        region: FileRegion(source: source, range: 0..<count, name: "t"))
    }

    mutating func dict(_ entries: [(String, NodeID)]) throws -> NodeID {
      var pairs: [(key: NodeID, value: NodeID)] = []
      for (key, value) in entries { pairs.append((try graph.addString(key), value)) }
      return try graph.addDict(pairs)
    }

    mutating func list(_ items: [NodeID]) throws -> NodeID {
      try graph.add(.list(graph.addChildren(items[...])))
    }

    mutating func int(_ value: Int) throws -> NodeID { try graph.add(.int(value)) }

    /// A model with tensors of several shapes, an optimizer with an integer key, and values.
    static func training() throws -> StateDict {
      var state = StateDict()
      let model = try state.dict([
        ("w", state.tensor([7, 3])), ("few", state.tensor([2, 2], from: 100)),
        ("scalar", state.tensor([], from: 9)), ("none", state.tensor([0, 3])),
      ])
      let moments = try state.dict([("exp_avg", state.tensor([7, 3], from: 50))])
      let states = try state.graph.addDict([(state.int(0), moments)])
      let group = try state.dict([
        ("lr", state.graph.add(.float(0.5))), ("params", state.list([state.int(0)])),
      ])
      let optimizer = try state.dict([("state", states), ("param_groups", state.list([group]))])
      state.graph.root = try state.dict([
        ("model", model), ("optim", optimizer), ("numbers", state.list([state.int(1)])),
      ])
      return state
    }
  }

  private static func write(_ encoder: DistributedEncoder) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for file in encoder.files() {
      let output = try StagedOutput(path: directory / file.name)
      try CopyEngine(threadCount: 1).run(file.plan, into: output)
      try StagedOutput.commit([output])
    }
    try directory.write(encoder.metadata(), to: DistributedPlaces.metadata)
    return directory
  }

  private static func elements(of name: String, _ graph: TensorGraph) throws -> [UInt8] {
    let model = try #require(graph.value(of: "model", in: graph.root))
    let node = try #require(graph.value(of: name, in: model))
    guard case .tensor(let id) = graph[node] else { return [] }
    var plan = FilePlan()
    for segment in graph[id].segments(from: graph) { plan.append(segment) }
    let directory = try TemporaryDirectory()
    let output = try StagedOutput(path: directory / "elements")
    try CopyEngine(threadCount: 1).run(plan, into: output)
    try StagedOutput.commit([output])
    return try #require(directory.bytes(of: "elements"))
  }

  struct Division: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let division: ChunkDivision
    let rule: FlatteningRule
    /// The number of chunks of the four tensors of the model and the moments.
    let chunkCount: Int
  }

  static let divisions = [
    Division(
      testDescription: "one rank", division: .ranks(1), rule: .current, chunkCount: 5),
    Division(
      testDescription: "three ranks, two of which have a short tensor", division: .ranks(3),
      rule: .current, chunkCount: 3 + 2 + 1 + 1 + 3),
    Division(
      testDescription: "more ranks than rows", division: .ranks(9), rule: .current,
      chunkCount: 7 + 2 + 1 + 1 + 7),
    Division(
      testDescription: "two rows in a chunk", division: .byteCount(8), rule: .current,
      chunkCount: 4 + 1 + 1 + 1 + 4),
    Division(
      testDescription: "a row is larger than a chunk", division: .byteCount(1), rule: .current,
      chunkCount: 7 + 2 + 1 + 1 + 7),
    Division(
      testDescription: "the rule of old versions", division: .ranks(2), rule: .untilTorch23,
      chunkCount: 2 + 2 + 1 + 1 + 2),
  ]

  @Test("A reader gets the state dict that was written", arguments: divisions)
  func comesBack(_ test: Division) throws {
    let state = try StateDict.training()
    let encoder = try DistributedEncoder(state.graph, test.rule, test.division)
    #expect(encoder.tensorCount == 5)
    #expect(encoder.chunkCount == test.chunkCount)
    #expect(encoder.integerKeyCount == 1)
    let directory = try Self.write(encoder)
    let checkpoint = try DistributedContainer().read(FilePath(directory.path), ReadingOptions())
    let found = try #require(checkpoint).graph
    #expect(found.description(of: found.root) == state.graph.description(of: state.graph.root))
    for name in ["w", "few", "scalar", "none"] {
      #expect(try Self.elements(of: name, found) == Self.elements(of: name, state.graph))
    }
    let restored = try encoder.restoredGraph()
    #expect(restored.description(of: restored.root) == found.description(of: found.root))
  }

  @Test("A group is one value for old versions, and one for each field for others")
  func flattens() throws {
    let graph = try StateDict.training().graph
    #expect(
      try StateDictFlattening(graph, .current).entries.map(\.name) == [
        "model.w", "model.few", "model.scalar", "model.none", "optim.state.0.exp_avg",
        "optim.param_groups.0.lr", "optim.param_groups.0.params", "numbers",
      ])
    #expect(
      try StateDictFlattening(graph, .untilTorch23).entries.map(\.name).suffix(2) == [
        "optim.param_groups", "numbers",
      ])
  }

  @Test("An empty dict has no place, and is named")
  func namesEmptyDicts() throws {
    var state = StateDict()
    state.graph.root = try state.dict([
      ("a", state.dict([("b", state.dict([]))])), ("c", state.tensor([1])),
    ])
    #expect(try DistributedEncoder(state.graph, .current, .usual).emptyDicts == ["a.b"])
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    let make: @Sendable () throws -> TensorGraph
  }

  static let refusals = [
    Refusal(testDescription: "a list as the root", message: "a state dict is expected") {
      var state = StateDict()
      state.graph.root = try state.list([])
      return state.graph
    },
    Refusal(testDescription: "two names that are equal", message: "would be named 'a.b'") {
      var state = StateDict()
      state.graph.root = try state.dict([
        ("a", state.dict([("b", state.int(1))])), ("a.b", state.int(2)),
      ])
      return state.graph
    },
    Refusal(testDescription: "a float as a key", message: "neither a string nor an integer") {
      var state = StateDict()
      state.graph.root = try state.graph.addDict([(state.graph.add(.float(1)), state.int(1))])
      return state.graph
    },
    Refusal(testDescription: "a dict inside itself", message: "contains itself") {
      var state = StateDict()
      let root = try state.dict([("a", TensorGraph.none)])
      _ = state.graph.appendEntry(key: try state.graph.addString("self"), value: root, to: root)
      state.graph.root = root
      return state.graph
    },
    Refusal(testDescription: "a name that no reader takes", message: "a name would have") {
      var state = StateDict()
      state.graph.root = try state.dict([
        (String(repeating: "x", count: Limits.nameBytes + 1), state.int(1))
      ])
      return state.graph
    },
    Refusal(testDescription: "a dict that is shared a million times", message: "more than") {
      var state = StateDict()
      var node = try state.dict([("x", state.int(1))])
      for _ in 0..<40 { node = try state.dict([("l", node), ("r", node)]) }
      state.graph.root = node
      return state.graph
    },
  ]

  @Test("What a distributed checkpoint cannot hold is an error", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let graph = try test.make()
    let error = try #require(throws: CheckpointError.self) {
      try DistributedEncoder(graph, .current, .usual)
    }
    #expect(error.message.contains(test.message))
  }
}
