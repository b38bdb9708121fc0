import Testing

@testable import CkptModels

/// Names of parameters in wrapped models.
struct ParameterNameTests {
  static let wrapped = [
    "transformer.blocks.0.ff_out.weight",
    "module.transformer.blocks.0.ff_out.weight",
    "_fsdp_wrapped_module.transformer.blocks.0._fsdp_wrapped_module.ff_out.weight",
    "_orig_mod.transformer.blocks.0.ff_out.weight",
    "module._orig_mod.transformer.blocks.0.ff_out.weight",
    "_orig_mod.module.transformer.blocks.0.ff_out.weight",
    "transformer.blocks.0._checkpoint_wrapped_module.ff_out.weight",
  ]

  @Test("What wrappers put into a name is taken out", arguments: wrapped)
  func cleansNames(_ name: String) {
    #expect(ParameterName(name).clean == "transformer.blocks.0.ff_out.weight")
  }

  @Test("A module inside of the model may be called module")
  func keepsInnerModules() {
    #expect(ParameterName("encoder.module.weight").clean == "encoder.module.weight")
  }

  struct Regrouping: Sendable, CustomTestStringConvertible {
    var from: Int
    var to: Int
    var name: String
    var result: String
    var testDescription: String { "\(name) from \(from) to \(to)" }
  }

  static let regroupings = [
    Regrouping(
      from: 2, to: 1, name: "transformer.block_groups.1.1.ff_out.weight",
      result: "transformer.blocks.3.ff_out.weight"),
    Regrouping(
      from: 1, to: 4, name: "transformer.blocks.6.ff_out.weight",
      result: "transformer.block_groups.1.2.ff_out.weight"),
    Regrouping(
      from: 2, to: 2, name: "transformer.block_groups.1.1.ff_out.weight",
      result: "transformer.block_groups.1.1.ff_out.weight"),
    Regrouping(from: 1, to: 2, name: "transformer.wte.weight", result: "transformer.wte.weight"),
    Regrouping(
      from: 2, to: 1, name: "transformer.block_groups.1.7.ff_out.weight",
      result: "transformer.block_groups.1.7.ff_out.weight"),
    Regrouping(
      from: 2, to: 1, name: "transformer.block_groups.\(Int.max).1.ff_out.weight",
      result: "transformer.block_groups.\(Int.max).1.ff_out.weight"),
  ]

  @Test("Blocks are renumbered for groups of another size", arguments: regroupings)
  func regroups(_ test: Regrouping) {
    #expect(ParameterName(test.name).regrouped(from: test.from, to: test.to) == test.result)
  }

  @Test("The size of the groups is read from the names")
  func findsGroupSize() {
    let names = ["transformer.block_groups.0.0.a", "transformer.block_groups.0.2.a", "b"]
    #expect(ParameterName.groupSize(of: names.map { ParameterName($0) }) == 3)
    #expect(ParameterName.groupSize(of: [ParameterName("transformer.blocks.7.a")]) == 1)
  }
}
