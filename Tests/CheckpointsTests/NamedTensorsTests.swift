import CkptBase
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptCheckpoints

@Suite("A model's tensors are found by their names")
struct NamedTensorsTests {
  private static func graph(_ names: [String]) throws -> TensorGraph {
    let file = TorchFileBuilder()
    return try file.graph(file.stateDict(names.map { ($0, [2]) }))
  }

  struct Names: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let stored: [String]
    var groupSize = 1
    let names: [String]
  }

  static let olmo = [
    Names(testDescription: "plain", stored: ["a.weight", "b"], names: ["a.weight", "b"]),
    Names(
      testDescription: "under FSDP",
      stored: ["_fsdp_wrapped_module.transformer._fsdp_wrapped_module.wte.weight"],
      names: ["transformer.wte.weight"]),
    Names(testDescription: "under DDP", stored: ["module.a", "module.b"], names: ["a", "b"]),
    Names(
      testDescription: "groups of blocks taken apart",
      stored: ["transformer.block_groups.0.1.w", "transformer.block_groups.1.0.w"],
      names: ["transformer.blocks.1.w", "transformer.blocks.2.w"]),
    Names(
      testDescription: "blocks put into groups", stored: ["transformer.blocks.3.w"], groupSize: 2,
      names: ["transformer.block_groups.1.1.w"]),
  ]

  @Test("Names are those of the unwrapped model", arguments: olmo)
  func unwraps(_ test: Names) throws {
    let tensors = try NamedTensors(olmo: Self.graph(test.stored), groupSize: test.groupSize)
    #expect(tensors.entries.map(\.name) == test.names)
    for name in test.names { #expect(tensors[name] != nil) }
  }

  @Test("Hugging Face's names are taken as they are")
  func huggingFace() throws {
    let graph = try Self.graph(["module.a", "b"])
    var tensors = try NamedTensors(huggingFace: graph)
    #expect(tensors.shapes(in: graph).map(\.name) == ["module.a", "b"])
    #expect(tensors.shapes(in: graph).map(\.shape) == [[2], [2]])
    tensors.remove([ExactString("module.a")])
    #expect(tensors["module.a"] == nil)
    #expect(tensors.entries.map(\.name) == ["b"])
    #expect(tensors["b"] == tensors.entries[0].id)
  }

  @Test("Names that only Unicode calls the same are two")
  func exactNames() throws {
    let names = [Spellings.composed, Spellings.decomposed]
    let tensors = try NamedTensors(olmo: Self.graph(names), groupSize: 1)
    #expect(names.map { tensors[$0] } == tensors.entries.map(\.id))
    var left = try NamedTensors(huggingFace: Self.graph(names))
    left.remove([ExactString(names[0])])
    #expect(left.entries.map { Array($0.name.utf8) } == [Array(names[1].utf8)])
  }

  @Test("A parameter stands for its tensor")
  func parameters() throws {
    let file = TorchFileBuilder()
    let weight = PickledValue.rebuilt(
      by: "_rebuild_parameter", [file.tensor([3]), true, .noHooks])
    let graph = try file.graph(["w": weight])
    let tensors = try NamedTensors(huggingFace: graph)
    #expect(tensors.shapes(in: graph).map(\.shape) == [[3]])
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let object: PickledValue
    let code: CheckpointError.Code
    let message: String
  }

  static let refusals = [
    Refusal(
      testDescription: "a list", object: [1, 2], code: .unsupported,
      message: "a model must be a dict of tensors, found "),
    Refusal(
      testDescription: "a number for a name", object: .dict([5, 1]), code: .unsupported,
      message: "expected a string as tensor name, found 5"),
    Refusal(
      testDescription: "a number among the tensors", object: ["step": 7], code: .unsupported,
      message: "a model must have only tensors, but 'step' is 7"),
  ]

  @Test("What is no state dict of a model is refused", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let graph = try TorchFileBuilder().graph(test.object)
    let error = try #require(throws: CheckpointError.self) {
      try NamedTensors(huggingFace: graph)
    }
    #expect(error.code == test.code)
    #expect(error.message.hasPrefix(test.message))
  }

  @Test("Two tensors that are one without their wrappers are refused")
  func conflict() throws {
    let graph = try Self.graph(["a", "module.a"])
    let error = try #require(throws: CheckpointError.self) {
      try NamedTensors(olmo: graph, groupSize: 1)
    }
    #expect(error.code == .conflict)
    #expect(error.message == "two tensors are named 'a' after the names of wrappers are removed")
  }
}
