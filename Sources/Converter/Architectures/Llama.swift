extension NameTable {
  /// Models of OLMo that are Llamas: `OLMoSequentialBlock` with RMS norms before attention and
  /// feed-forward network, as in OLMo's `configs/tiny` (`olmo/model.py`), and `LlamaForCausalLM`
  /// (`transformers/models/llama/modeling_llama.py`).
  public static let llama = NameTable(
    name: "Llama",
    beforeLayers: llamaBeforeLayers,
    layer: [
      .matrix("attn_out.weight", "self_attn.o_proj.weight", .hidden, by: .hidden),
      .matrix("ff_out.weight", "mlp.down_proj.weight", .hidden, by: .feedForward),
      .stack(
        "att_proj.weight",
        of: [
          "self_attn.q_proj.weight": .hidden,
          "self_attn.k_proj.weight": .keys,
          "self_attn.v_proj.weight": .keys,
        ], by: .hidden),
      // `SwiGLU` splits its input into the value and the gate, in this order.
      .stack(
        "ff_proj.weight",
        of: ["mlp.up_proj.weight": .feedForward, "mlp.gate_proj.weight": .feedForward],
        by: .hidden),
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
      .matrix("attn_out.weight", "self_attn.o_proj.weight", .hidden, by: .hidden),
      .matrix("ff_out.weight", "mlp.down_proj.weight", .hidden, by: .feedForward),
      .norm("attn_norm.weight", "input_layernorm.weight", .hidden),
      .norm("ff_norm.weight", "post_attention_layernorm.weight", .hidden),
      .matrix("q_proj.weight", "self_attn.q_proj.weight", .hidden, by: .hidden),
      .matrix("k_proj.weight", "self_attn.k_proj.weight", .keys, by: .hidden),
      .matrix("v_proj.weight", "self_attn.v_proj.weight", .keys, by: .hidden),
      .stack(
        "ff_proj.weight",
        of: ["mlp.up_proj.weight": .feedForward, "mlp.gate_proj.weight": .feedForward],
        by: .hidden),
    ],
    afterLayers: llamaAfterLayers,
    huggingFaceOrder: llamaOrder,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  private static let llamaBeforeLayers: [Row] = [
    .matrix("transformer.wte.weight", "model.embed_tokens.weight", .vocabulary, by: .hidden),
    .norm("transformer.ln_f.weight", "model.norm.weight", .hidden),
  ]

  private static let llamaAfterLayers: [Row] = [
    .matrix("transformer.ff_out.weight", "lm_head.weight", .vocabulary, by: .hidden, .untied)
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
