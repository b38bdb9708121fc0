internal import CkptBase
internal import CkptCheckpoints
internal import CkptModels
internal import CkptYAML

/// The tensors that a configuration describes, and the fields that decide them.
///
/// All blocks are alike, so one stands for all of them. The number of blocks in a configuration
/// costs nothing.
struct ModelOutline {
  /// A tensor that models of this kind can have.
  struct Tensor {
    /// The name; inside a block, the name below it.
    var name: String
    /// The number of elements along each dimension.
    var shape: [Int]
    /// Whether this model has the tensor.
    var isCalledFor: Bool
    /// The fields that decide whether a model has the tensor.
    var conditions: [String]
    /// The fields that decide its shape.
    var sizes: [String]
  }

  /// The name of the configuration file.
  var configuration: String
  /// The prefix of block names up to the number, such as `transformer.blocks.`.
  var blockPrefix: String
  /// The number of blocks.
  var blockCount: Int
  /// The field with the number of blocks.
  var blockCountField: String
  /// The tensors outside of blocks.
  var outside: [Tensor]
  /// The tensors of a block.
  var inBlock: [Tensor]

  /// Splits a name into the number of its block and the name below it; `nil` outside of blocks.
  func split(_ name: String) -> (block: Int, rest: String)? {
    guard name.hasPrefix(blockPrefix) else { return nil }
    let steps = name.dropFirst(blockPrefix.count).split(separator: ".", maxSplits: 1)
    guard steps.count == 2, let block = Int(steps[0]), String(block) == steps[0], block >= 0 else {
      return nil
    }
    return (block, String(steps[1]))
  }
}

extension ModelOutline {
  /// Describes the model that OLMo builds from a configuration (`OLMo`, `OLMoBlock` and
  /// `LayerNormBase` in `olmo/model.py`), with ungrouped blocks.
  ///
  /// Any configuration that OLMo accepts is supported.
  ///
  /// The tables of conversions only describe models that Hugging Face has too.
  ///
  /// - Throws: `malformed` for fields that OLMo does not allow together.
  init(_ model: OLMoModelConfig) throws(CheckpointError) {
    try model.requireConsistent()
    if model.isTrue("alibi") {
      for field in ["rope", "flash_attention"] where model.isTrue(field) {
        throw CheckpointError(
          .malformed, "'alibi' and '\(field)' are both true, which OLMo does not allow")
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

/// The tensors of OLMo models, for the sizes of one configuration.
private struct OLMoTensors {
  private let model: OLMoModelConfig

  init(_ model: OLMoModelConfig) { self.model = model }

  /// Returns a field with its value, as in the configuration.
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
  /// SwiGLU halves the width: one half gates the other (`SwiGLU.output_multiplier`).
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
      name, size, if: model.normalizesQueriesAndKeys, ["attention_layer_norm"],
      weights: "attention_layer_norm_with_affine")
  }
}

extension ModelOutline {
  /// Describes a model of `transformers` by the table of conversions.
  init(huggingFace map: TensorMap) {
    self.init(
      HuggingFaceFolder.configuration, "model.layers.",
      "num_hidden_layers: \(map.dimensions.layers)", map, map.huggingFace, \.huggingFaceFields)
  }

  /// Describes a model of OLMo-core by the table of conversions.
  init(core map: TensorMap) {
    self.init(
      OLMoCoreDirectory.configuration, "blocks.", "n_layers: \(map.dimensions.layers)", map,
      map.core, \.coreFields)
  }

  private init(
    _ configuration: String, _ blockPrefix: String, _ blockCountField: String, _ map: TensorMap,
    _ tensors: [ExpectedTensor], _ fields: (Extent) -> String
  ) {
    self.configuration = configuration
    self.blockPrefix = blockPrefix
    blockCount = map.dimensions.layers
    self.blockCountField = blockCountField
    outside = []
    inBlock = []
    for expected in tensors {
      var sizes: [String] = []
      for field in expected.extents.map(fields) where !sizes.contains(field) {
        sizes.append(field)
      }
      var tensor = Tensor(
        name: expected.name, shape: expected.shape, isCalledFor: true, conditions: [],
        sizes: sizes)
      guard let (block, rest) = split(expected.name) else {
        outside.append(tensor)
        continue
      }
      guard block == 0 else { continue }
      tensor.name = rest
      inBlock.append(tensor)
    }
  }
}
