import CkptBase
import CkptGraph
import CkptModels
import CkptTestSupport
import Testing

@testable import CkptCheckpoints

@Suite("An optimizer's state is taken apart and put together")
struct OptimizerStateTests {
  /// A state of parameters that are called `keys`, in one group.
  private static func state(
    _ keys: [PickledValue], names: [String]? = nil, inGroup groupKeys: [PickledValue]? = nil,
    others: [PickledValue] = []
  ) -> PickledValue {
    var entries: [PickledValue] = []
    for (index, key) in keys.enumerated() { entries += [key, ["step": .int(index)]] }
    var group: [PickledValue] = ["lr", 0.5, "params", .list(groupKeys ?? keys)]
    if let names { group += ["param_names", .list(names.map { .str($0) })] }
    return .dict(["state", .dict(entries), "param_groups", [.dict(group)]] + others)
  }

  private static func read(_ object: PickledValue) throws -> (TensorGraph, OptimizerState) {
    let graph = try TorchFileBuilder().graph(object)
    return (graph, try OptimizerState(of: graph))
  }

  @Test("Parameters are called by name, or by the names beside their numbers")
  func names() throws {
    for object in [
      Self.state(["a", "module.b"], others: ["extra", 1]),
      Self.state([0, 1], names: ["a", "module.b"], others: ["extra", 1]),
    ] {
      let (graph, state) = try Self.read(object)
      #expect(OptimizerState.isState(graph))
      #expect(state.parameters.map(\.name.clean) == ["a", "b"])
      #expect(state.groups.map { $0.names.map(\.clean) } == [["a", "b"]])
      #expect(state.others.map { graph.string($0.key) } == ["extra"])
      #expect(state.groupSize == 1)
    }
  }

  @Test("Names that only Unicode calls the same are two parameters")
  func exactNames() throws {
    let names = [Spellings.composed, Spellings.decomposed]
    let (graph, state) = try Self.read(Self.state(names.map { .str($0) }))
    #expect(state.parameters.count == 2)
    for kind in OptimizerNames.allCases {
      var keyed = graph
      try kind.apply(to: &keyed)
      let again = try OptimizerState(of: keyed)
      #expect(again.parameters.map { Array($0.name.clean.utf8) } == names.map { Array($0.utf8) })
    }
  }

  @Test(
    "Parameters are keyed by name or by number, and their order stays",
    arguments: [
      OptimizerNames.fsdp, .single,
    ])
  func keys(_ kind: OptimizerNames) throws {
    var (graph, _) = try Self.read(Self.state([1, 0], names: ["b", "a"], others: ["extra", 1]))
    try kind.apply(to: &graph)
    let state = try OptimizerState(of: graph)
    #expect(state.parameters.map(\.name.clean) == ["b", "a"])
    #expect(state.others.count == 1)
    let entries = try #require(graph.value(of: "state", in: graph.root).flatMap(graph.entries))
    #expect(
      entries.map { graph.description(of: $0.key) }
        == (kind == .fsdp ? ["'b'", "'a'"] : ["0", "1"]))
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let object: PickledValue
    let code: CheckpointError.Code
    let message: String
  }

  static let refusals = [
    Refusal(
      testDescription: "a model", object: ["w": 1], code: .unsupported,
      message: "an optimizer state must have 'state' and 'param_groups', found"),
    Refusal(
      testDescription: "a group without parameters",
      object: ["state": .dict([]), "param_groups": [["lr": 1.0]]], code: .unsupported,
      message: "param group 0 has no list 'params'"),
    Refusal(
      testDescription: "fewer names than parameters", object: state([0, 1], names: ["a"]),
      code: .malformed, message: "param group 0 has 2 params and 1 names"),
    Refusal(
      testDescription: "one number twice", object: state([0, 0], names: ["a", "b"]),
      code: .malformed, message: "parameter 0 is in the param groups twice"),
    Refusal(
      testDescription: "a number in no group", object: state([7], names: ["a"], inGroup: [0]),
      code: .conflict, message: "optimizer parameter 7 is in no param group with names"),
    Refusal(
      testDescription: "numbers without names", object: state([0]), code: .unsupported,
      message: "optimizer parameter 0 has no name in 'param_names'"),
    Refusal(
      testDescription: "a state that is no dict",
      object: ["state": ["a": 1], "param_groups": [["params": ["a"]]]], code: .unsupported,
      message: "the state of 'a' is 1, not a dict"),
    Refusal(
      testDescription: "two states of one parameter", object: state(["a", "module.a"]),
      code: .conflict, message: "the optimizer has two states for 'a'"),
  ]

  @Test("What is no optimizer's state is refused", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let graph = try TorchFileBuilder().graph(test.object)
    let error = try #require(throws: CheckpointError.self) { try OptimizerState(of: graph) }
    #expect(error.code == test.code)
    #expect(error.message.hasPrefix(test.message))
  }

  @Test("A state without a group, and a parameter in two, are not written")
  func writerRefuses() throws {
    let (graph, state) = try Self.read(Self.state(["a"]))
    let group = state.groups[0].node
    for (names, parameter, message) in [
      (["a"], "b", "the optimizer has a state for 'b', which is in no param group"),
      (["a", "a"], "a", "parameter 'a' is in the param groups twice"),
    ] {
      var writer = OptimizerWriter(graph)
      writer.add(.init(name: parameter, values: []))
      writer.add(.init(settings: group, names: names))
      let error = try #require(throws: CheckpointError.self) { try writer.write(.fsdp) }
      #expect(error.code == .malformed)
      #expect(error.message == message)
    }
  }
}
