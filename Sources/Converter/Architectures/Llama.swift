extension NameTable {
  /// Models of OLMo that are Llamas: `OLMoSequentialBlock` with RMS norms before attention and
  /// feed-forward network, as in OLMo's `configs/tiny` (`olmo/model.py`), and `LlamaForCausalLM`
  /// (`transformers/models/llama/modeling_llama.py`).
  public static let llama = NameTable(
    name: "Llama",
    beforeLayers: llamaBeforeLayers,
    layer: [
      .attentionOutput,
      .feedForwardOutput,
      .fusedAttentionInput,
      .gatedFeedForwardInput,
      .norm("attn_norm.weight", "input_layernorm.weight", .hidden),
      .norm("ff_norm.weight", "post_attention_layernorm.weight", .hidden),
    ],
    afterLayers: llamaAfterLayers,
    huggingFaceOrder: llamaOrder,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  /// The same with `OLMoLlamaBlock`, which has queries, keys and values apart.
  public static let llamaBlocks = NameTable(
    name: "Llama with llama blocks",
    beforeLayers: llamaBeforeLayers,
    layer: [
      .attentionOutput,
      .feedForwardOutput,
      .norm("attn_norm.weight", "input_layernorm.weight", .hidden),
      .norm("ff_norm.weight", "post_attention_layernorm.weight", .hidden),
      .queries,
      .keys,
      .values,
      .gatedFeedForwardInput,
    ],
    afterLayers: llamaAfterLayers,
    huggingFaceOrder: llamaOrder,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  private static let llamaBeforeLayers: [Row] = [
    .embedding,
    .finalNorm,
  ]

  private static let llamaAfterLayers: [Row] = [
    .output
  ]

  private static let llamaOrder = HuggingFaceOrder(
    beforeLayers: ["model.embed_tokens.weight"],
    layer: [
      "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight",
      "self_attn.o_proj.weight",
      "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight",
      "input_layernorm.weight", "post_attention_layernorm.weight",
    ],
    afterLayers: ["model.norm.weight", "lm_head.weight"])
}
