import CkptCheck
import CkptModels
import CkptBase
import Testing

@testable import CkptCheck

/// The tensors of a model of OLMo, for `check` and for conversions.
@Suite("check and the conversions agree about what a model consists of")
struct ModelOutlineTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fields: [String]
  }

  private static let common = [
    "d_model: 32", "n_heads: 4", "n_layers: 3", "rope: true", "include_bias: false",
    "vocab_size: 250", "embedding_size: 256",
  ]
  private static let rms = common + ["layer_norm_type: rms", "mlp_hidden_size: 176"]
  private static let plain =
    common + ["layer_norm_with_affine: false", "attention_layer_norm_with_affine: false"]

  static let cases = [
    Case(testDescription: "OLMo 1", fields: plain),
    Case(testDescription: "OLMo 1, untied", fields: plain + ["weight_tying: false"]),
    Case(testDescription: "OLMo 1, llama blocks", fields: plain + ["block_type: llama"]),
    Case(
      testDescription: "OLMo 2",
      fields: rms + ["attention_layer_norm: true", "norm_after: true", "n_kv_heads: 2"]),
    Case(
      testDescription: "OLMo 2, norms without weights",
      fields: rms + [
        "attention_layer_norm: true", "norm_after: true", "layer_norm_with_affine: false",
      ]),
    Case(testDescription: "Llama", fields: rms + ["multi_query_attention: true"]),
    Case(testDescription: "Llama, llama blocks", fields: rms + ["block_type: llama"]),
  ]

  private func model(_ fields: [String]) throws -> OLMoModelConfig {
    let text = "model:\n" + fields.map { "  \($0)\n" }.joined()
    return try OLMoConfig(reading: Array(text.utf8)).model
  }

  @Test("The tensors are those of the tables", arguments: cases)
  func agrees(_ test: Case) throws {
    let model = try model(test.fields)
    let outline = try ModelOutline(model)
    var found: [String: [Int]] = [:]
    for tensor in outline.outside where tensor.isCalledFor { found[tensor.name] = tensor.shape }
    for block in 0..<outline.blockCount {
      for tensor in outline.inBlock where tensor.isCalledFor {
        found["\(outline.blockPrefix)\(block).\(tensor.name)"] = tensor.shape
      }
    }
    let expected = try TensorMap(of: model).olmo.map { ($0.name, $0.shape) }
    #expect(found == Dictionary(uniqueKeysWithValues: expected))
  }

  @Test("Fields that OLMo refuses together are refused", arguments: ["rope", "flash_attention"])
  func refuses(_ field: String) throws {
    let fields = Self.common.filter { !$0.hasPrefix("rope") } + ["alibi: true", "\(field): true"]
    let error = try #require(throws: CheckpointError.self) { try ModelOutline(model(fields)) }
    #expect(error.code == .malformed)
    #expect(error.message.contains("'alibi' and '\(field)'"))
  }

  @Test(
    "Only a number as it is written names a block",
    arguments: ["-1", "01", "+1", "1x", "99999999999999999999", ""])
  func splits(_ number: String) throws {
    let outline = try ModelOutline(model(Self.plain))
    #expect(outline.split("transformer.blocks.\(number).ff_out.weight") == nil)
    let block = try #require(outline.split("transformer.blocks.12.ff_out.weight"))
    #expect(block.block == 12 && block.rest == "ff_out.weight")
  }
}
