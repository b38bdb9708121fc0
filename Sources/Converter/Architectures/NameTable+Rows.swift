/// What several architectures have, whatever their norms.
extension NameTable.Row {
  /// The embedding of tokens.
  static let embedding = matrix(
    "transformer.wte.weight", "model.embed_tokens.weight", .vocabulary, by: .hidden)
  /// The norm behind the last layer.
  static let finalNorm = norm("transformer.ln_f.weight", "model.norm.weight", .hidden)
  /// The matrix that makes logits, where it is not the embedding.
  static let output = matrix(
    "transformer.ff_out.weight", "lm_head.weight", .vocabulary, by: .hidden, .untied)

  /// Queries, keys and values in one matrix, as `OLMoSequentialBlock` has them (`olmo/model.py`).
  static let fusedAttentionInput = stack(
    "att_proj.weight",
    of: [
      "self_attn.q_proj.weight": .hidden,
      "self_attn.k_proj.weight": .keys,
      "self_attn.v_proj.weight": .keys,
    ], by: .hidden)
  /// Queries, as `OLMoLlamaBlock` has them apart (`olmo/model.py`).
  static let queries = matrix("q_proj.weight", "self_attn.q_proj.weight", .hidden, by: .hidden)
  /// Keys, apart.
  static let keys = matrix("k_proj.weight", "self_attn.k_proj.weight", .keys, by: .hidden)
  /// Values, apart.
  static let values = matrix("v_proj.weight", "self_attn.v_proj.weight", .keys, by: .hidden)
  /// What attention ends with.
  static let attentionOutput = matrix(
    "attn_out.weight", "self_attn.o_proj.weight", .hidden, by: .hidden)

  /// The value and the gate in one matrix, in the order in which `SwiGLU` splits its input.
  static let gatedFeedForwardInput = stack(
    "ff_proj.weight",
    of: ["mlp.up_proj.weight": .feedForward, "mlp.gate_proj.weight": .feedForward],
    by: .hidden)
  /// What the feed-forward network ends with.
  static let feedForwardOutput = matrix(
    "ff_out.weight", "mlp.down_proj.weight", .hidden, by: .feedForward)
}
