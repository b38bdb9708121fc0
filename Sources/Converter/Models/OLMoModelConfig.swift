package import CkptBase
package import CkptYAML

/// The shape of an OLMo model: every field of `ModelConfig`, with its default if it is missing.
package struct OLMoModelConfig: Hashable, Sendable {
  private var values: [String: YAMLScalar]
  /// The attention windows, which OLMo's trainer does not have; `nil` for none.
  package var slidingWindow: SlidingWindow?

  /// Creates the model of an empty `model:` section.
  package init() {
    values = Dictionary(uniqueKeysWithValues: OLMoField.all.map { ($0.name, $0.defaultValue) })
  }

  /// Reads a `model:` section.
  ///
  /// Missing fields get OLMo's defaults.
  ///
  /// - Throws: `malformed` for a value of the wrong kind, `unsupported` for an interpolation and
  ///   for an unknown field, which OLMo's loader refuses too.
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
      .unsupported, "OLMo's ModelConfig has no field '\(name)'",
      remedy: "OLMo 0.6.0 refuses it too; remove it if it does not change the model")
  }

  /// The value of a field, by OLMo's name.
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

  /// Returns the value of an integer field, or `nil` for `null`.
  package func integer(_ name: String) -> Int? {
    guard case .integer(let value) = self[name] else { return nil }
    return value
  }

  /// Whether a field is `true`.
  package func isTrue(_ name: String) -> Bool { self[name] == .bool(true) }

  private func count(_ name: String) -> Int { integer(name) ?? 0 }
}

// MARK: What the tensors follow from

extension OLMoModelConfig {
  /// A kind of norm.
  package enum Norm: String, Hashable, Sendable {
    /// PyTorch's layer norm.
    case standard = "default"
    /// Layer norm in the precision of its input.
    case lowPrecision = "low_precision"
    /// Root mean square.
    case rms
  }

  /// A kind of block.
  package enum Block: String, Hashable, Sendable {
    /// With one matrix for queries, keys and values.
    case sequential
    /// With separate matrices.
    case llama
  }

  /// The hidden size (`d_model`).
  package var hiddenSize: Int { count("d_model") }
  /// The number of blocks (`n_layers`).
  package var layerCount: Int { count("n_layers") }
  /// The number of attention heads (`n_heads`).
  package var headCount: Int { count("n_heads") }
  /// The size of a head.
  package var headSize: Int { headCount > 0 ? hiddenSize / headCount : 0 }
  /// The number of key and value heads (`n_kv_heads`, `multi_query_attention`).
  package var keyValueHeadCount: Int {
    integer("n_kv_heads") ?? (isTrue("multi_query_attention") ? 1 : headCount)
  }
  /// The number of rows of `ff_proj`: twice the size of the gated feed-forward layer
  /// (`mlp_hidden_size`, `mlp_ratio`).
  package var feedForwardRowCount: Int {
    integer("mlp_hidden_size") ?? count("mlp_ratio") * hiddenSize
  }
  /// The number of tokens of the tokenizer (`vocab_size`).
  package var vocabularySize: Int { count("vocab_size") }
  /// The number of embedding rows, including padding (`embedding_size`).
  package var embeddingCount: Int { integer("embedding_size") ?? vocabularySize }
  /// Whether the output is tied to the embedding (`weight_tying`).
  package var isTied: Bool { isTrue("weight_tying") }
  /// The number of blocks in a group; tensors are named by groups if it is above one.
  package var blockGroupSize: Int { count("block_group_size") }
  /// The kind of norm (`layer_norm_type`).
  package var norm: Norm { Norm(rawValue: self["layer_norm_type"].description) ?? .standard }
  /// Whether norms have weights (`layer_norm_with_affine`).
  package var normsHaveWeights: Bool { isTrue("layer_norm_with_affine") }
  /// Whether queries and keys are normalized (`attention_layer_norm`).
  package var normalizesQueriesAndKeys: Bool { isTrue("attention_layer_norm") }
  /// Whether the norms of queries and keys have weights (`attention_layer_norm_with_affine`).
  package var queryKeyNormsHaveWeights: Bool { isTrue("attention_layer_norm_with_affine") }
  /// Whether norms come after the attention and feed-forward layers, not before (`norm_after`).
  package var normalizesAfterward: Bool { isTrue("norm_after") }
  /// Whether norms with weights also have biases (`bias_for_layer_norm`, `include_bias`).
  package var normsHaveBiases: Bool {
    self["bias_for_layer_norm"] == .null
      ? isTrue("include_bias") : isTrue("bias_for_layer_norm")
  }
  /// The kind of block (`block_type`).
  package var block: Block { Block(rawValue: self["block_type"].description) ?? .sequential }
}

extension OLMoModelConfig {
  /// Checks that a model can have this shape, like OLMo when it builds one.
  ///
  /// - Throws: `malformed` with the fields that contradict each other.
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
      "'d_model' (\(hiddenSize)) is not a multiple of 'n_heads' (\(headCount))")
    try requireHeads()
    try require(
      embeddingCount >= vocabularySize,
      "'embedding_size' (\(embeddingCount)) is below 'vocab_size' (\(vocabularySize))")
    try require(
      layerCount % blockGroupSize == 0,
      "'n_layers' (\(layerCount)) is not a multiple of 'block_group_size' (\(blockGroupSize))")
    try require(
      self["activation_type"] != .string("swiglu") || feedForwardRowCount % 2 == 0,
      "the feed-forward layer has an odd number of rows, \(feedForwardRowCount) "
        + "(from 'mlp_hidden_size' or 'mlp_ratio')")
  }

  private func requireHeads() throws(CheckpointError) {
    if let count = integer("n_kv_heads"), case .bool(let isSingle) = self["multi_query_attention"] {
      try require(
        count == (isSingle ? 1 : headCount),
        "'n_kv_heads' (\(count)) contradicts 'multi_query_attention' (\(isSingle))")
    }
    try require(
      headCount % keyValueHeadCount == 0,
      "'n_heads' (\(headCount)) is not a multiple of 'n_kv_heads' (\(keyValueHeadCount))")
    // OLMo's llama block derives the sizes of its matrices from `multi_query_attention` alone.
    try require(
      block == .sequential || isTrue("multi_query_attention") || keyValueHeadCount == headCount,
      "'n_kv_heads' (\(keyValueHeadCount)) does not work with 'block_type' llama")
  }

  private func require(
    _ condition: Bool, _ message: @autoclosure () -> String
  ) throws(CheckpointError) {
    guard condition else { throw CheckpointError(.malformed, message()) }
  }
}
