extension NameTable {
  /// OLMo 2: `OLMoSequentialBlock` with RMS norms after attention and feed-forward network and of
  /// queries and keys (`olmo/model.py`), and `Olmo2ForCausalLM`
  /// (`transformers/models/olmo2/modeling_olmo2.py`).
  public static let olmo2 = NameTable(
    name: "OLMo 2",
    beforeLayers: [
      .embedding,
      .finalNorm,
    ],
    layer: [
      .norm("k_norm.weight", "self_attn.k_norm.weight", .keys, .queryKeyNormWeights),
      .norm("q_norm.weight", "self_attn.q_norm.weight", .hidden, .queryKeyNormWeights),
      .attentionOutput,
      .feedForwardOutput,
      .fusedAttentionInput,
      .gatedFeedForwardInput,
      .norm("attn_norm.weight", "post_attention_layernorm.weight", .hidden),
      .norm("ff_norm.weight", "post_feedforward_layernorm.weight", .hidden),
    ],
    afterLayers: [
      .output
    ],
    huggingFaceOrder: HuggingFaceOrder(
      beforeLayers: ["model.embed_tokens.weight"],
      layer: [
        "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight",
        "self_attn.o_proj.weight", "self_attn.q_norm.weight", "self_attn.k_norm.weight",
        "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight",
        "post_attention_layernorm.weight", "post_feedforward_layernorm.weight",
      ],
      afterLayers: ["model.norm.weight", "lm_head.weight"]),
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])
}
