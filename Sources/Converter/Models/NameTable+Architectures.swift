extension NameTable {
  /// OLMo 1 and 1.7: `OLMoSequentialBlock` with norms without weights (`olmo/model.py`), and
  /// `OlmoForCausalLM` (`transformers/models/olmo/modeling_olmo.py`).
  package static let olmo1 = NameTable(
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

  /// The same with `OLMoLlamaBlock`, which has separate queries, keys and values.
  package static let olmo1LlamaBlocks = NameTable(
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

extension NameTable {
  /// OLMo 2: `OLMoSequentialBlock` with RMS norms after the attention and feed-forward layers and
  /// for queries and keys (`olmo/model.py`), and `Olmo2ForCausalLM`
  /// (`transformers/models/olmo2/modeling_olmo2.py`).
  ///
  /// OLMo 3 has the same tensors (`transformers/models/olmo3/modeling_olmo3.py`); only the
  /// attention windows differ.
  package static let olmo2 = NameTable(
    name: "OLMo 2",
    beforeLayers: [
      .embedding,
      .finalNorm,
    ],
    layer: [
      .norm(
        "k_norm.weight", "self_attn.k_norm.weight", core: "attention.k_norm.weight",
        .keys, .queryKeyNormWeights),
      .norm(
        "q_norm.weight", "self_attn.q_norm.weight", core: "attention.q_norm.weight",
        .hidden, .queryKeyNormWeights),
      .attentionOutput,
      .feedForwardOutput,
      .fusedAttentionInput,
      .gatedFeedForwardInput,
      .norm(
        "attn_norm.weight", "post_attention_layernorm.weight", core: "attention_norm.weight",
        .hidden),
      .norm(
        "ff_norm.weight", "post_feedforward_layernorm.weight", core: "feed_forward_norm.weight",
        .hidden),
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

extension NameTable {
  /// OLMo models that are Llamas: `OLMoSequentialBlock` with RMS norms before the attention and
  /// feed-forward layers, as in OLMo's `configs/tiny` (`olmo/model.py`), and `LlamaForCausalLM`
  /// (`transformers/models/llama/modeling_llama.py`).
  package static let llama = NameTable(
    name: "Llama",
    beforeLayers: llamaBeforeLayers,
    layer: [
      .attentionOutput,
      .feedForwardOutput,
      .fusedAttentionInput,
      .gatedFeedForwardInput,
      .norm(
        "attn_norm.weight", "input_layernorm.weight", core: "attention_norm.weight", .hidden),
      .norm(
        "ff_norm.weight", "post_attention_layernorm.weight", core: "feed_forward_norm.weight",
        .hidden),
    ],
    afterLayers: llamaAfterLayers,
    huggingFaceOrder: llamaOrder,
    ignoredBuffers: ["self_attn.rotary_emb.inv_freq"])

  /// The same with `OLMoLlamaBlock`, which has separate queries, keys and values.
  package static let llamaBlocks = NameTable(
    name: "Llama with llama blocks",
    beforeLayers: llamaBeforeLayers,
    layer: [
      .attentionOutput,
      .feedForwardOutput,
      .norm(
        "attn_norm.weight", "input_layernorm.weight", core: "attention_norm.weight", .hidden),
      .norm(
        "ff_norm.weight", "post_attention_layernorm.weight", core: "feed_forward_norm.weight",
        .hidden),
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
