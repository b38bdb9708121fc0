internal import CkptBase
internal import CkptYAML

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
      + training(initialization: "mitchell", cutoff: .null) + foreign + [uniformHeads])

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
      + training(initialization: "normal", cutoff: .number(3)) + foreign + [uniformHeads])

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
      + training(initialization: "normal", cutoff: .number(3))
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

// Rows that tables have in common. The defaults of missing members are those of the classes'
// configurations in transformers 4.48 to 5.23.

extension FieldTable {
  /// The sizes of the model.
  static func sizes(vocabulary: Int) -> [FieldRow] {
    [
      .same("d_model", "hidden_size", missing: .integer(4096)),
      .same("n_layers", "num_hidden_layers", missing: .integer(32)),
      .same("n_heads", "num_attention_heads", missing: .integer(32)),
      FieldRow(
        ["n_kv_heads", "multi_query_attention"], "num_key_value_heads",
        .derived(.keyValueHeads)),
      FieldRow(
        ["mlp_hidden_size", "mlp_ratio"], "intermediate_size", .derived(.intermediateSize)),
      FieldRow(
        ["embedding_size", "vocab_size"], "vocab_size",
        .derived(.vocabulary(missing: vocabulary))),
      .same("max_sequence_length", "max_position_embeddings", missing: .integer(2048)),
      .same("weight_tying", "tie_word_embeddings", missing: .bool(false)),
    ]
  }

  /// What all classes have built in.
  static let attention: [FieldRow] = [
    .implied("activation_type", .string("swiglu"), "the feed-forward layer is a gated SiLU"),
    .fixed("hidden_act", .string("silu"), "swiglu is a gated SiLU"),
    FieldRow(
      ["block_type"], nil,
      .implied(
        .string("sequential"), permits: { _ in true },
        reason: "q, k and v have a matrix each; only OLMo's names differ")),
    .implied("include_bias", .bool(false), "the feed-forward layer has no biases"),
    .fixed("attention_bias", .bool(false), "follows from include_bias"),
    .same("attention_dropout", "attention_dropout", missing: .number(0)),
    .implied("alibi", .bool(false), "there is no class with ALiBi"),
    .onlyOLMo("alibi_bias_max", .number(8), "has no effect without alibi"),
    .implied("embedding_layer_norm", .bool(false), "the embedding is not normalised"),
    .implied("scale_logits", .bool(false), "the logits are not scaled"),
  ]

  /// Rotary positions.
  static let rotation: [FieldRow] = [
    .implied("rope", .bool(true), "positions are rotary; there is no place for learned ones"),
    FieldRow(["rope_theta"], "rope_theta", .derived(.ropeTheta)),
    FieldRow(
      [], "rope_scaling",
      .fixed(
        .null, permits: \.rotatesPlainly, reason: "OLMo does not scale rotary positions")),
    FieldRow(
      [], "partial_rotary_factor",
      .fixed(nil, permits: \.rotatesWholeHeads, reason: "OLMo rotates whole heads")),
    .onlyOLMo(
      "rope_full_precision", .bool(true),
      "the classes always compute angles in float32, which is what true means"),
  ]

  /// RMS norms.
  static func rootMeanSquare(_ name: String, missing: Double) -> [FieldRow] {
    [
      .implied("layer_norm_type", .string("rms"), "\(name) has RMS norms"),
      FieldRow(
        ["layer_norm_with_affine"], nil,
        .implied(
          .bool(true), permits: { _ in true },
          reason: "norms without weights get weights of one")),
      .same("layer_norm_eps", "rms_norm_eps", missing: .number(missing)),
      FieldRow(
        ["bias_for_layer_norm"], nil,
        .implied(
          .bool(false), permits: { !$0.hasNormBiases },
          reason: "RMS norms have no biases in \(name)")),
      .implied("clip_qkv", .null, "\(name) does not clip"),
    ]
  }

  /// Special tokens.
  static func tokens(
    end: Int, padding: YAMLScalar, beginning: YAMLScalar
  ) -> [FieldRow] {
    [
      FieldRow(["eos_token_id"], "eos_token_id", .derived(.endOfText(missing: end))),
      FieldRow(
        ["pad_token_id"], "pad_token_id",
        .derived(.padding(missing: padding, missingEnd: end))),
      .onlyHuggingFace("bos_token_id", .null, "OLMo has no token for beginnings"),
    ]
  }

  /// What only training looks at.
  static func training(initialization: String, cutoff: YAMLScalar) -> [FieldRow] {
    [
      .same("init_std", "initializer_range", missing: .number(0.02)),
      .onlyOLMo("init_fn", .string(initialization), "how weights begin"),
      .onlyOLMo("init_cutoff_factor", cutoff, "how weights begin"),
      .onlyOLMo("init_device", .string("meta"), "where weights begin"),
      .onlyOLMo("scale_emb_init", .bool(false), "how the embedding begins"),
      .onlyOLMo("emb_init_std", .null, "how the embedding begins"),
      .onlyOLMo("residual_dropout", .number(0), "only training drops"),
      .onlyOLMo("embedding_dropout", .number(0), "only training drops"),
      .onlyOLMo("flash_attention", .bool(true), "the caller of the class chooses"),
      .onlyOLMo("precision", .null, "the caller of the class chooses"),
      .onlyOLMo("block_group_size", .integer(1), "only names of tensors depend on it"),
    ]
  }

  /// Members that OLMo has nothing for.
  static let foreign: [FieldRow] = [
    .onlyHuggingFace("use_cache", .bool(true), "the caller of OLMo's model chooses"),
    .onlyHuggingFace("torch_dtype", nil, "of the weights; OLMo trains float32"),
    .onlyHuggingFace("dtype", nil, "of the weights; OLMo trains float32"),
    .onlyHuggingFace("transformers_version", nil, "who wrote the file"),
    FieldRow(
      [], "quantization_config",
      .fixed(
        nil, permits: { [nil, YAMLValue(.null)].contains($0["quantization_config"]) },
        reason: "OLMo trains weights that are not quantised")),
  ]

  /// Heads are as wide as `d_model` allows, in classes whose configuration does not say it.
  static let uniformHeads = FieldRow(
    [], "head_dim",
    .fixed(nil, permits: \.hasUniformHeads, reason: "OLMo's heads are d_model / n_heads wide"))
}

extension OLMoModelConfig {
  /// Whether any norm has a bias.
  var hasNormBiases: Bool {
    let hasWeights =
      normsHaveWeights || normalisesQueriesAndKeys && queryKeyNormsHaveWeights
    return normsHaveBiases && hasWeights
  }
}
