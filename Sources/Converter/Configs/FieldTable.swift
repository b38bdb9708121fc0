internal import Bytes
internal import YAML

/// How the fields of OLMo's `model:` section and of one class's `config.json` correspond.
///
/// The table is read in both directions. To add an architecture means to add one.
package struct FieldTable: Sendable {
  /// The class.
  package let architecture: Architecture
  /// The rows, in the order in which reports list them.
  package let rows: [FieldRow]

  /// The table of `architecture`.
  package static func of(_ architecture: Architecture) -> FieldTable {
    switch architecture {
    case .olmo: olmo
    case .olmo2: olmo2
    case .llama: llama
    }
  }

  private init(_ architecture: Architecture, _ rows: [FieldRow]) {
    self.architecture = architecture
    self.rows = rows
  }

  /// OLMo and OLMo 1.7: `OlmoConfig` of transformers.
  private static let olmo = FieldTable(
    .olmo,
    sizes(vocabulary: 50304) + attention + rotation
      + [
        .same("clip_qkv", "clip_qkv", missing: .null),
        FieldRow(
          ["layer_norm_type"], nil,
          .implied(
            .string("default"), permits: { $0.norm != .rms },
            reason: "OlmoLayerNorm is a layer norm, computed in float32")),
        .implied(
          "layer_norm_with_affine", .bool(false), "OlmoLayerNorm has neither weight nor bias"),
        .implied("layer_norm_eps", .number(1e-5), "OlmoLayerNorm has 1e-5 built in"),
        .onlyOLMo("bias_for_layer_norm", .bool(false), "norms without weights have no biases"),
        .implied(
          "attention_layer_norm", .bool(false), "OlmoForCausalLM does not normalise q and k"),
        .onlyOLMo("attention_layer_norm_with_affine", .bool(false), "q and k are not normalised"),
        .implied("norm_after", .bool(false), "OlmoForCausalLM normalises before the layers"),
      ] + tokens(end: 50279, padding: .integer(1), beginning: .null)
      + training(initialisation: "mitchell", cutoff: .null) + foreign + [uniformHeads])

  /// OLMo 2: `Olmo2Config` of transformers.
  private static let olmo2 = FieldTable(
    .olmo2,
    sizes(vocabulary: 50304) + attention + rotation
      + rootMeanSquare("Olmo2ForCausalLM", missing: 1e-5)
      + [
        .implied(
          "attention_layer_norm", .bool(true), "Olmo2ForCausalLM normalises queries and keys"),
        FieldRow(
          ["attention_layer_norm_with_affine"], nil,
          .implied(
            .bool(true), permits: { _ in true },
            reason: "norms without weights get weights of one")),
        .implied("norm_after", .bool(true), "Olmo2ForCausalLM normalises after the layers"),
      ] + tokens(end: 50279, padding: .integer(1), beginning: .null)
      + training(initialisation: "normal", cutoff: .number(3)) + foreign + [uniformHeads])

  /// Models of OLMo's trainer that are Llamas: `LlamaConfig` of transformers.
  private static let llama = FieldTable(
    .llama,
    sizes(vocabulary: 32000) + attention + rotation
      + rootMeanSquare("LlamaForCausalLM", missing: 1e-6)
      + [
        .implied(
          "attention_layer_norm", .bool(false), "LlamaForCausalLM does not normalise q and k"),
        .onlyOLMo("attention_layer_norm_with_affine", .bool(false), "q and k are not normalised"),
        .implied("norm_after", .bool(false), "LlamaForCausalLM normalises before the layers"),
      ] + tokens(end: 2, padding: .null, beginning: .integer(1))
      + training(initialisation: "normal", cutoff: .number(3))
      + [
        .fixed("mlp_bias", .bool(false), "OLMo's feed-forward layer has no biases here"),
        FieldRow([], "head_dim", .derived(.headSize)),
        FieldRow(
          [], "pretraining_tp",
          .fixed(
            nil, permits: { [nil, .integer(1)].contains($0["pretraining_tp"]?.scalar) },
            reason: "OLMo does not cut its matrices")),
      ] + foreign)
}
