package import CkptBase
package import CkptYAML

/// The shape of a model as OLMo describes it: every field of `ModelConfig`, defaults filled in.
package struct OLMoModelConfig: Hashable, Sendable {
  private var values: [String: YAMLScalar]

  /// The model that an empty `model:` section describes.
  package init() {
    values = Dictionary(uniqueKeysWithValues: OLMoField.all.map { ($0.name, $0.defaultValue) })
  }

  /// Reads a `model:` section; missing fields take OLMo's defaults.
  ///
  /// - Throws: `malformed` for a value of the wrong kind, `unsupported` for an interpolation and for
  ///   a field that OLMo does not have, which its loader refuses too.
  package init(reading section: YAMLMapping) throws(CheckpointError) {
    self.init()
    for entry in section.entries {
      let name = entry.key.description
      try CheckpointError.within(entry.value.place?.description ?? name) {
        () throws(CheckpointError) in
        guard let field = OLMoField.named(name) else { throw Self.unknown(name) }
        values[name] = try field.value(of: entry.value)
      }
    }
  }

  private static func unknown(_ name: String) -> CheckpointError {
    CheckpointError(
      .unsupported, "'\(name)' is no field of OLMo's ModelConfig",
      remedy: "OLMo 0.6.0 refuses it too; remove it if it does not change the model")
  }

  /// The value of a field, by OLMo's name for it.
  package subscript(name: String) -> YAMLScalar {
    get { values[name] ?? .null }
    set {
      precondition(OLMoField.named(name) != nil, "OLMo's fields are known")
      values[name] = newValue
    }
  }

  /// The section with all fields, in OLMo's order.
  package var section: YAMLMapping {
    var section = YAMLMapping()
    for field in OLMoField.all { section[field.name] = YAMLValue(self[field.name]) }
    return section
  }

  /// The value of a field that holds integers, or `nil` for `null`.
  package func integer(_ name: String) -> Int? {
    guard case .integer(let value) = self[name] else { return nil }
    return value
  }

  /// Whether a field holds `true`.
  package func isTrue(_ name: String) -> Bool { self[name] == .bool(true) }

  private func count(_ name: String) -> Int { integer(name) ?? 0 }
}

// MARK: What the tensors follow from

extension OLMoModelConfig {
  /// How normalisation is done.
  package enum Norm: String, Hashable, Sendable {
    /// PyTorch's layer norm.
    case standard = "default"
    /// The same, computed in the precision of its input.
    case lowPrecision = "low_precision"
    /// Root mean square.
    case rms
  }

  /// How a block is built.
  package enum Block: String, Hashable, Sendable {
    /// One matrix for queries, keys and values.
    case sequential
    /// A matrix for each.
    case llama
  }

  /// The width of the residual stream (`d_model`).
  package var hiddenSize: Int { count("d_model") }
  /// The number of blocks (`n_layers`).
  package var layerCount: Int { count("n_layers") }
  /// The number of attention heads (`n_heads`).
  package var headCount: Int { count("n_heads") }
  /// The width of a head.
  package var headSize: Int { headCount > 0 ? hiddenSize / headCount : 0 }
  /// The number of heads that keys and values have (`n_kv_heads`, `multi_query_attention`).
  package var keyValueHeadCount: Int {
    integer("n_kv_heads") ?? (isTrue("multi_query_attention") ? 1 : headCount)
  }
  /// The rows of `ff_proj`: twice the width of the gated feed-forward layer (`mlp_hidden_size`,
  /// `mlp_ratio`).
  package var feedForwardRowCount: Int {
    integer("mlp_hidden_size") ?? count("mlp_ratio") * hiddenSize
  }
  /// The number of tokens that the tokenizer knows (`vocab_size`).
  package var vocabularySize: Int { count("vocab_size") }
  /// The rows of the embedding, padding included (`embedding_size`).
  package var embeddingCount: Int { integer("embedding_size") ?? vocabularySize }
  /// Whether the output layer is the embedding (`weight_tying`).
  package var isTied: Bool { isTrue("weight_tying") }
  /// How many blocks one group holds, which tensors are named by if it is above one.
  package var blockGroupSize: Int { count("block_group_size") }
  /// How normalisation is done (`layer_norm_type`).
  package var norm: Norm { Norm(rawValue: self["layer_norm_type"].description) ?? .standard }
  /// Whether norms have weights (`layer_norm_with_affine`).
  package var normsHaveWeights: Bool { isTrue("layer_norm_with_affine") }
  /// Whether queries and keys are normalised (`attention_layer_norm`).
  package var normalisesQueriesAndKeys: Bool { isTrue("attention_layer_norm") }
  /// Whether the norms of queries and keys have weights (`attention_layer_norm_with_affine`).
  package var queryKeyNormsHaveWeights: Bool { isTrue("attention_layer_norm_with_affine") }
  /// Whether norms come after attention and feed-forward layers instead of before (`norm_after`).
  package var normalisesAfterward: Bool { isTrue("norm_after") }
  /// Whether norms with weights have biases too (`bias_for_layer_norm`, `include_bias`).
  package var normsHaveBiases: Bool {
    self["bias_for_layer_norm"] == .null
      ? isTrue("include_bias") : isTrue("bias_for_layer_norm")
  }
  /// How a block is built (`block_type`).
  package var block: Block { Block(rawValue: self["block_type"].description) ?? .sequential }
}

extension OLMoModelConfig {
  /// Makes sure that there can be a model of this shape, as OLMo itself does when it builds one.
  ///
  /// - Throws: `malformed` naming the fields that contradict each other.
  package func requireConsistent() throws(CheckpointError) {
    let sizes = [
      "d_model", "n_heads", "n_kv_heads", "n_layers", "mlp_ratio", "mlp_hidden_size",
      "block_group_size", "max_sequence_length", "vocab_size", "embedding_size", "rope_theta",
    ]
    for name in sizes {
      if let value = integer(name), value <= 0 {
        throw CheckpointError(.malformed, "'\(name)' is \(value), not a positive number")
      }
    }
    try require(
      hiddenSize % headCount == 0,
      "'d_model' of \(hiddenSize) is no multiple of 'n_heads', \(headCount)")
    try requireHeads()
    try require(
      embeddingCount >= vocabularySize,
      "'embedding_size' of \(embeddingCount) is below 'vocab_size', \(vocabularySize)")
    try require(
      layerCount % blockGroupSize == 0,
      "'n_layers' of \(layerCount) is no multiple of 'block_group_size', \(blockGroupSize)")
    try require(
      self["activation_type"] != .string("swiglu") || feedForwardRowCount % 2 == 0,
      "\(feedForwardRowCount) rows of the feed-forward layer (from 'mlp_hidden_size' or 'mlp_ratio') "
        + "are no two halves")
  }

  private func requireHeads() throws(CheckpointError) {
    if let count = integer("n_kv_heads"), case .bool(let isSingle) = self["multi_query_attention"] {
      try require(
        count == (isSingle ? 1 : headCount),
        "'n_kv_heads' of \(count) contradicts 'multi_query_attention', \(isSingle)")
    }
    try require(
      headCount % keyValueHeadCount == 0,
      "'n_heads' of \(headCount) is no multiple of 'n_kv_heads', \(keyValueHeadCount)")
    // OLMo's llama block takes the sizes of its matrices from `multi_query_attention` alone.
    try require(
      block == .sequential || isTrue("multi_query_attention") || keyValueHeadCount == headCount,
      "'n_kv_heads' of \(keyValueHeadCount) does not work with 'block_type', llama")
  }

  private func require(
    _ condition: Bool, _ message: @autoclosure () -> String
  ) throws(CheckpointError) {
    guard condition else { throw CheckpointError(.malformed, message()) }
  }
}
