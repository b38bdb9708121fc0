internal import CkptYAML

extension OLMoCoreField {
  /// All known fields, in the order of translations to OLMo-core.
  ///
  /// Fields that others depend on come first. `null` is allowed for every field.
  package static let all: [OLMoCoreField] =
    [
      .same("d_model", "d_model", isRequired: true),
      .same("vocab_size", "embedding_size", isRequired: true),
      .same("n_layers", "n_layers", isRequired: true),
    ] + norm("block.layer_norm.")
    + [.same("block.layer_norm.eps", "layer_norm_eps")]
    + attention + window
    + [
      .name("transformer.config.TransformerBlockConfig", of: "block."),
      .blockName,
      .feedForwardSize,
      .fixed("block.feed_forward.name", [.string("default")], "the others compute otherwise"),
      .fixed("block.feed_forward.bias", [.bool(false)], "the classes have no biases there"),
      .fixed("block.feed_forward.activation", [.string("silu")], "the classes have a gated SiLU"),
      .training("block.feed_forward.dtype", .string("float32"), dtype),
      .name("feed_forward.FeedForwardConfig", of: "block.feed_forward."),
      .fixed("block.feed_forward_moe", [.null], "mixtures of experts are not supported"),
      .fixed("block.dropout", [.null, .number(0), .integer(0)], "the classes have no dropout"),
      .fixed("block_overrides", [.null], "the blocks of the classes are alike"),
      .fixed("block_pattern", [.null], "the blocks of the classes are alike"),
      .fixed("lm_head.name", [.string("default")], "the others compute otherwise"),
    ] + norm("lm_head.layer_norm.")
    + [
      .epsilon("lm_head.layer_norm.eps"),
      .fixed("lm_head.bias", [.bool(false)], "the classes have no bias there"),
      .training("lm_head.dtype", .string("float32"), dtype),
      .training("lm_head.loss_implementation", .string("default"), "only for training"),
      .name("lm_head.LMHeadConfig", of: "lm_head."),
      .fixed("name", [.string("default")], "the other kinds of models compute otherwise"),
      .same("tie_word_embeddings", "weight_tying"),
      .fixed("embed_scale", [.null], "the classes do not scale the embedding"),
      .fixed("embedding_norm", [.null], "the classes do not normalize the embedding"),
      .same("init_std", "init_std"),
      .training("init_method", .string("normal"), "initialization of weights"),
      .training("init_seed", .integer(0), "initialization of weights"),
      .training("embedding_init_std", nil, "initialization of weights"),
      .training("dtype", .string("float32"), dtype),
      .training("compile", nil, "only for training"),
      .training("freeze_params", nil, "only for training"),
      .name("transformer.config.TransformerConfig", of: ""),
    ]

  private static let dtype = "dtype of the weights while training"

  private static func norm(
    _ path: String, if condition: @escaping @Sendable (OLMoModelConfig) -> Bool = { _ in true }
  ) -> [OLMoCoreField] {
    [
      .fixed(
        path + "name", norms, "the classes have RMS norms", isRequired: true, if: condition),
      .fixed(path + "bias", [.bool(false)], "the classes have no biases there", if: condition),
      .fixed(
        path + "elementwise_affine", [.bool(true)], "the norms of the classes have weights",
        if: { _ in false }),
      .training(path + "full_precision", nil, "the classes compute norms in float32"),
      .training(path + "dtype", nil, dtype),
      .name("layer_norm.LayerNormConfig", of: path, if: condition),
    ]
  }

  private static let attention: [OLMoCoreField] =
    [
      .fixed(
        mixer + "type", [.string("attention")], "the layers of the classes are attention layers"),
      .fixed(mixer + "name", [.string("default")], "the other kinds have other tensors"),
      .same(mixer + "n_heads", "n_heads", isRequired: true),
      .keyValueHeads,
      .fixed(mixer + "bias", [.bool(false)], "the classes have no biases there"),
      .rotation,
      .rotationBase,
      .same(mixer + "rope.full_precision", "rope_full_precision"),
      .fixed(mixer + "rope.scaling", [.null], "scaled rotary positions are not supported"),
      .fixed(mixer + "rope.no_global_rope", [.bool(false)], "the classes rotate in every layer"),
      .fixed(
        mixer + "rope.partial_rotary_factor", [.number(1), .integer(1)],
        "the classes rotate whole heads"),
      .name("rope.RoPEConfig", of: mixer + "rope."),
      .queryKeyNorm,
      .epsilon(mixer + "qk_norm.eps", if: \.normalizesQueriesAndKeys),
    ]
    + norm(mixer + "qk_norm.", if: \.normalizesQueriesAndKeys)
    .filter { $0.path != mixer + "qk_norm.name" }
    + [
      .same(mixer + "clip_qkv", "clip_qkv"),
      .fixed(mixer + "use_head_qk_norm", [.bool(false)], "the classes normalize all heads at once"),
      .fixed(mixer + "head_dim", [.null], "a head has the size d_model / n_heads"),
      .fixed(mixer + "gate", [.null], "the classes have no gates there"),
      .fixed(mixer + "softmax_scale", [.null], "the classes scale by the size of a head"),
      .fixed(mixer + "scalable_softmax", [.bool(false)], "the classes do not scale by length"),
      .fixed(mixer + "attention_sinks", [.bool(false)], "the classes have no sinks"),
      .fixed(
        mixer + "dropout", [.null, .number(0), .integer(0)], "the classes have no dropout there"),
      .training(mixer + "use_flash", nil, "the caller of the class chooses"),
      .training(mixer + "backend", nil, "the caller of the class chooses"),
      .training(mixer + "dtype", .string("float32"), dtype),
      .name("attention.AttentionConfig", of: mixer),
    ]

  private static let window: [OLMoCoreField] = [
    .windowPattern,
    .windowFlag(firstIsFull),
    .windowFlag(lastIsFull),
    .name(
      "attention.SlidingWindowAttentionConfig", of: mixer + "sliding_window.",
      if: { $0.slidingWindow != nil }),
  ]

  static let firstIsFull = "force_full_attention_on_first_layer"
  static let lastIsFull = "force_full_attention_on_last_layer"

  private static let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0) })
  private static let byOLMoName = Dictionary(
    all.compactMap { field in field.olmo.map { ($0, field) } },
    uniquingKeysWith: { first, _ in first })

  /// Returns the field at a path below `model`.
  static func at(_ path: String) -> OLMoCoreField? { byPath[path] }

  /// Returns the field with the meaning of one of OLMo's.
  static func counterpart(ofOLMo name: String) -> OLMoCoreField? {
    // OLMo has two fields each for these sizes.
    switch name {
    case "mlp_ratio": byOLMoName["mlp_hidden_size"]
    case "multi_query_attention": byOLMoName["n_kv_heads"]
    default: byOLMoName[name]
    }
  }
}
