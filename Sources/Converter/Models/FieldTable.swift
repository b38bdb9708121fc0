internal import CkptBase
internal import CkptYAML

/// The relations between the fields of OLMo's `model:` section and one class's `config.json`.
///
/// The table is read in both directions. A new architecture needs a new table.
package struct FieldTable: Sendable {
  /// The class.
  package let architecture: Architecture
  /// The rows, in the order of reports.
  package let rows: [FieldRow]

  /// Returns the table of `architecture`.
  package static func of(_ architecture: Architecture) -> FieldTable {
    switch architecture {
    case .olmo: olmo
    case .olmo2: olmo2
    case .olmo3: olmo3
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
          "attention_layer_norm", .bool(false), "OlmoForCausalLM does not normalize q and k"),
        .onlyOLMo("attention_layer_norm_with_affine", .bool(false), "q and k are not normalized"),
        .implied("norm_after", .bool(false), "OlmoForCausalLM normalizes before the layers"),
      ] + tokens(end: 50279, padding: .integer(1), beginning: .null)
      + training(initialization: "mitchell", cutoff: .null) + foreign + [uniformHeads])

  /// OLMo 2: `Olmo2Config` of transformers.
  private static let olmo2 = FieldTable(.olmo2, normalizedAfterward("Olmo2ForCausalLM"))

  /// OLMo 3: `Olmo3Config` of transformers.
  private static let olmo3 = FieldTable(
    .olmo3,
    normalizedAfterward("Olmo3ForCausalLM") + [
      FieldRow([], "sliding_window", .derived(.slidingWindow)),
      FieldRow([], "layer_types", .derived(.layerTypes)),
      FieldRow([], "rope_parameters", .derived(.ropeByAttention)),
    ])

  private static func normalizedAfterward(_ name: String) -> [FieldRow] {
    sizes(vocabulary: 50304) + attention + rotation
      + rootMeanSquare(name, missing: 1e-5)
      + [
        .implied("attention_layer_norm", .bool(true), "\(name) normalizes queries and keys"),
        FieldRow(
          ["attention_layer_norm_with_affine"], nil,
          .implied(
            .bool(true), permits: { _ in true },
            reason: "norms without weights get weights of one")),
        .implied("norm_after", .bool(true), "\(name) normalizes after the layers"),
      ] + tokens(end: 50279, padding: .integer(1), beginning: .null)
      + training(initialization: "normal", cutoff: .number(3)) + foreign + [uniformHeads]
  }

  /// Models of OLMo's trainer that are Llamas: `LlamaConfig` of transformers.
  private static let llama = FieldTable(
    .llama,
    sizes(vocabulary: 32000) + attention + rotation
      + rootMeanSquare("LlamaForCausalLM", missing: 1e-6)
      + [
        .implied(
          "attention_layer_norm", .bool(false), "LlamaForCausalLM does not normalize q and k"),
        .onlyOLMo("attention_layer_norm_with_affine", .bool(false), "q and k are not normalized"),
        .implied("norm_after", .bool(false), "LlamaForCausalLM normalizes before the layers"),
      ] + tokens(end: 2, padding: .null, beginning: .integer(1))
      + training(initialization: "normal", cutoff: .number(3))
      + [
        .fixed("mlp_bias", .bool(false), "OLMo's feed-forward layer has no biases"),
        FieldRow([], "head_dim", .derived(.headSize)),
        FieldRow(
          [], "pretraining_tp",
          .fixed(
            nil, permits: { [nil, .integer(1)].contains($0["pretraining_tp"]?.scalar) },
            reason: "OLMo does not split its matrices")),
      ] + foreign)
}

// Common rows of the tables. The defaults of missing members are those of the classes in
// transformers 4.48 to 5.23.

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

  /// The rows of attention and feed-forward layers, which all classes have built in.
  static let attention: [FieldRow] = [
    .implied("activation_type", .string("swiglu"), "the feed-forward layer is a gated SiLU"),
    .fixed("hidden_act", .string("silu"), "swiglu is a gated SiLU"),
    FieldRow(
      ["block_type"], nil,
      .implied(
        .string("sequential"), permits: { _ in true },
        reason: "q, k and v have one matrix each; only OLMo's names differ")),
    .implied("include_bias", .bool(false), "the feed-forward layer has no biases"),
    .fixed("attention_bias", .bool(false), "follows from include_bias"),
    .same("attention_dropout", "attention_dropout", missing: .number(0)),
    .implied("alibi", .bool(false), "no class has ALiBi"),
    .onlyOLMo("alibi_bias_max", .number(8), "has no effect without alibi"),
    .implied("embedding_layer_norm", .bool(false), "the embedding is not normalized"),
    .implied("scale_logits", .bool(false), "the logits are not scaled"),
  ]

  /// Rotary positions.
  static let rotation: [FieldRow] = [
    .implied("rope", .bool(true), "positions are rotary, not learned"),
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
      "the classes always compute angles in float32, as with true"),
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
      .onlyHuggingFace("bos_token_id", .null, "OLMo has no begin-of-text token"),
    ]
  }

  /// The rows of fields that only training uses.
  static func training(initialization: String, cutoff: YAMLScalar) -> [FieldRow] {
    [
      .same("init_std", "initializer_range", missing: .number(0.02)),
      .onlyOLMo("init_fn", .string(initialization), "initialization of weights"),
      .onlyOLMo("init_cutoff_factor", cutoff, "initialization of weights"),
      .onlyOLMo("init_device", .string("meta"), "device of initialization"),
      .onlyOLMo("scale_emb_init", .bool(false), "initialization of the embedding"),
      .onlyOLMo("emb_init_std", .null, "initialization of the embedding"),
      .onlyOLMo("residual_dropout", .number(0), "only for training"),
      .onlyOLMo("embedding_dropout", .number(0), "only for training"),
      .onlyOLMo("flash_attention", .bool(true), "the caller of the class chooses"),
      .onlyOLMo("precision", .null, "the caller of the class chooses"),
      .onlyOLMo("block_group_size", .integer(1), "changes only names of tensors"),
    ]
  }

  /// The members that OLMo has no counterpart for.
  static let foreign: [FieldRow] = [
    .onlyHuggingFace("use_cache", .bool(true), "the caller of OLMo's model chooses"),
    .onlyHuggingFace("torch_dtype", nil, "dtype of the weights; OLMo trains in float32"),
    .onlyHuggingFace("dtype", nil, "dtype of the weights; OLMo trains in float32"),
    .onlyHuggingFace("transformers_version", nil, "version of the writer"),
    FieldRow(
      [], "quantization_config",
      .fixed(
        nil, permits: { [nil, YAMLValue(.null)].contains($0["quantization_config"]) },
        reason: "OLMo does not train quantized weights")),
  ]

  /// The size of heads, for classes whose configuration does not have it.
  static let uniformHeads = FieldRow(
    [], "head_dim",
    .fixed(nil, permits: \.hasUniformHeads, reason: "OLMo's heads have the size d_model / n_heads"))
}

extension OLMoModelConfig {
  /// Whether any norm has a bias.
  var hasNormBiases: Bool {
    let hasWeights =
      normsHaveWeights || normalizesQueriesAndKeys && queryKeyNormsHaveWeights
    return normsHaveBiases && hasWeights
  }
}
