extension NameTable {
  /// OLMo 1 and 1.7: `OLMoSequentialBlock` with norms that have no weights (`olmo/model.py`), and
  /// `OlmoForCausalLM` (`transformers/models/olmo/modeling_olmo.py`).
  public static let olmo1 = NameTable(
    name: "OLMo 1",
    beforeLayers: olmo1BeforeLayers,
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
    ],
    afterLayers: olmo1AfterLayers,
    huggingFaceOrder: olmo1Order,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  /// The same with `OLMoLlamaBlock`, which has queries, keys and values apart.
  public static let olmo1LlamaBlocks = NameTable(
    name: "OLMo 1 with llama blocks",
    beforeLayers: olmo1BeforeLayers,
    layer: [
      .matrix("attn_out.weight", "self_attn.o_proj.weight", .hidden, by: .hidden),
      .matrix("ff_out.weight", "mlp.down_proj.weight", .hidden, by: .feedForward),
      .matrix("q_proj.weight", "self_attn.q_proj.weight", .hidden, by: .hidden),
      .matrix("k_proj.weight", "self_attn.k_proj.weight", .keys, by: .hidden),
      .matrix("v_proj.weight", "self_attn.v_proj.weight", .keys, by: .hidden),
      .stack(
        "ff_proj.weight",
        of: ["mlp.up_proj.weight": .feedForward, "mlp.gate_proj.weight": .feedForward],
        by: .hidden),
    ],
    afterLayers: olmo1AfterLayers,
    huggingFaceOrder: olmo1Order,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  private static let olmo1BeforeLayers: [Row] = [
    .matrix("transformer.wte.weight", "model.embed_tokens.weight", .vocabulary, by: .hidden)
  ]

  private static let olmo1AfterLayers: [Row] = [
    .matrix("transformer.ff_out.weight", "lm_head.weight", .vocabulary, by: .hidden, .untied)
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
