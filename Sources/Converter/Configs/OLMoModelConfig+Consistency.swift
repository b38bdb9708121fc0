public import Bytes
internal import YAML

extension OLMoModelConfig {
  /// Makes sure that there can be a model of this shape, as OLMo itself does when it builds one.
  ///
  /// - Throws: `malformed` naming the fields that contradict each other.
  public func requireConsistent() throws(FormatError) {
    let sizes = [
      "d_model", "n_heads", "n_kv_heads", "n_layers", "mlp_ratio", "mlp_hidden_size",
      "block_group_size", "max_sequence_length", "vocab_size", "embedding_size", "rope_theta",
    ]
    for name in sizes {
      if let value = integer(name), value <= 0 {
        throw FormatError(.malformed, "'\(name)' is \(value), not a positive number")
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

  private func requireHeads() throws(FormatError) {
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
  ) throws(FormatError) {
    guard condition else { throw FormatError(.malformed, message()) }
  }
}
