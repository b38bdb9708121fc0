extension NameTable {
  /// OLMo 1 and 1.7: `OLMoSequentialBlock` with norms that have no weights (`olmo/model.py`), and
  /// `OlmoForCausalLM` (`transformers/models/olmo/modeling_olmo.py`).
  public static let olmo1 = NameTable(
    name: "OLMo 1",
    beforeLayers: olmo1BeforeLayers,
    layer: [
      .attentionOutput,
      .feedForwardOutput,
      .fusedAttentionInput,
      .gatedFeedForwardInput,
    ],
    afterLayers: olmo1AfterLayers,
    huggingFaceOrder: olmo1Order,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  /// The same with `OLMoLlamaBlock`, which has queries, keys and values apart.
  public static let olmo1LlamaBlocks = NameTable(
    name: "OLMo 1 with llama blocks",
    beforeLayers: olmo1BeforeLayers,
    layer: [
      .attentionOutput,
      .feedForwardOutput,
      .queries,
      .keys,
      .values,
      .gatedFeedForwardInput,
    ],
    afterLayers: olmo1AfterLayers,
    huggingFaceOrder: olmo1Order,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  private static let olmo1BeforeLayers: [Row] = [
    .embedding
  ]

  private static let olmo1AfterLayers: [Row] = [
    .output
  ]

  private static let olmo1Order = HuggingFaceOrder(
    beforeLayers: ["model.embed_tokens.weight"],
    layer: [
      "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight",
      "self_attn.o_proj.weight",
      "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight",
    ],
    afterLayers: ["lm_head.weight"])
}
