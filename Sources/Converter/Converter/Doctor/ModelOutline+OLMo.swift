internal import Bytes
internal import Configs
internal import YAML

extension ModelOutline {
  /// What OLMo builds from a configuration, any that it can build from (`OLMo`, `OLMoBlock` and
  /// `LayerNormBase` in `olmo/model.py`), with blocks that are in no groups.
  ///
  /// The tables that conversions go by know those models only that Hugging Face has as well.
  ///
  /// - Throws: `malformed` for fields that OLMo refuses together.
  init(_ model: OLMoModelConfig) throws(FormatError) {
    try model.requireConsistent()
    if model.isTrue("alibi") {
      for field in ["rope", "flash_attention"] where model.isTrue(field) {
        throw FormatError(.malformed, "'alibi' and '\(field)' are both true, which OLMo refuses")
      }
    }
    let tensors = OLMoTensors(model)
    configuration = OLMoDirectory.configuration
    blockPrefix = "transformer.blocks."
    blockCount = model.layerCount
    blockCountField = tensors.field("n_layers")
    outside = tensors.outside
    inBlock = tensors.inBlock
  }
}

/// The tensors that models of OLMo may have, for the sizes of one of them.
private struct OLMoTensors {
  private let model: OLMoModelConfig

  init(_ model: OLMoModelConfig) { self.model = model }

  /// A field as it stands in the configuration.
  func field(_ name: String) -> String { "\(name): \(model[name])" }

  private var width: (Int, [String]) { (model.hiddenSize, ["d_model"]) }
  private var embedding: (Int, [String]) {
    (
      model.embeddingCount,
      [model.integer("embedding_size") == nil ? "vocab_size" : "embedding_size"]
    )
  }
  private var keys: (Int, [String]) {
    let heads = model.isTrue("multi_query_attention") ? "multi_query_attention" : "n_kv_heads"
    return (model.headSize * model.keyValueHeadCount, ["d_model", "n_heads", heads])
  }
  private var feedForwardFields: [String] {
    model.integer("mlp_hidden_size") == nil ? ["mlp_ratio", "d_model"] : ["mlp_hidden_size"]
  }
  private var feedForwardInput: (Int, [String]) { (model.feedForwardRowCount, feedForwardFields) }
  /// Half of it gates the other half (`SwiGLU.output_multiplier`).
  private var feedForwardOutput: (Int, [String]) {
    let isGated = model["activation_type"] == .string("swiglu")
    return (
      isGated ? model.feedForwardRowCount / 2 : model.feedForwardRowCount,
      feedForwardFields + ["activation_type"]
    )
  }

  var outside: [ModelOutline.Tensor] {
    let positions = !model.isTrue("rope") && !model.isTrue("alibi")
    let length = (model.integer("max_sequence_length") ?? 0, ["max_sequence_length"])
    return [tensor("transformer.wte.weight", [embedding, width])]
      + norm("transformer.ln_f", width)
      + [tensor("transformer.wpe.weight", [length, width], if: positions, ["rope", "alibi"])]
      + linear(
        "transformer.ff_out", embedding, width, if: !model.isTied, ["weight_tying"])
      + norm(
        "transformer.emb_norm", width, if: model.isTrue("embedding_layer_norm"),
        ["embedding_layer_norm"])
  }

  var inBlock: [ModelOutline.Tensor] {
    let isFused = model.block == .sequential
    let fused = (width.0 + 2 * keys.0, keys.1)
    let apart = { (name: String, size: (Int, [String])) in
      linear(name, size, width, if: !isFused, ["block_type"])
    }
    return queryKeyNorm("k_norm", keys) + queryKeyNorm("q_norm", width)
      + linear("attn_out", width, width)
      + linear("ff_out", width, feedForwardOutput)
      + linear("att_proj", fused, width, if: isFused, ["block_type"])
      + apart("q_proj", width) + apart("k_proj", keys) + apart("v_proj", keys)
      + linear("ff_proj", feedForwardInput, width)
      + norm("attn_norm", width) + norm("ff_norm", width)
  }

  // MARK: Modules

  private func tensor(
    _ name: String, _ extents: [(size: Int, fields: [String])], if isCalledFor: Bool = true,
    _ conditions: [String] = []
  ) -> ModelOutline.Tensor {
    var sizes: [String] = []
    for field in extents.flatMap(\.fields) where !sizes.contains(field) { sizes.append(field) }
    return ModelOutline.Tensor(
      name: name, shape: extents.map(\.size), isCalledFor: isCalledFor,
      conditions: conditions.map(field), sizes: sizes.map(field))
  }

  private func linear(
    _ name: String, _ rows: (Int, [String]), _ columns: (Int, [String]),
    if isCalledFor: Bool = true, _ conditions: [String] = []
  ) -> [ModelOutline.Tensor] {
    [
      tensor("\(name).weight", [rows, columns], if: isCalledFor, conditions),
      tensor(
        "\(name).bias", [rows], if: isCalledFor && model.isTrue("include_bias"),
        conditions + ["include_bias"]),
    ]
  }

  private func norm(
    _ name: String, _ size: (Int, [String]), if isCalledFor: Bool = true,
    _ conditions: [String] = [], weights: String = "layer_norm_with_affine"
  ) -> [ModelOutline.Tensor] {
    let hasWeights = isCalledFor && model.isTrue(weights)
    let biases = model["bias_for_layer_norm"] == .null ? "include_bias" : "bias_for_layer_norm"
    return [
      tensor("\(name).weight", [size], if: hasWeights, conditions + [weights]),
      tensor(
        "\(name).bias", [size], if: hasWeights && model.normsHaveBiases,
        conditions + [weights, biases]),
    ]
  }

  private func queryKeyNorm(_ name: String, _ size: (Int, [String])) -> [ModelOutline.Tensor] {
    norm(
      name, size, if: model.normalisesQueriesAndKeys, ["attention_layer_norm"],
      weights: "attention_layer_norm_with_affine")
  }
}
