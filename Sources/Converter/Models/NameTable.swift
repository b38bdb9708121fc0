/// What the tensors of one architecture are called by OLMo and by Hugging Face.
///
/// A table says for each tensor of OLMo which tensors of Hugging Face its rows are, from the first
/// row to the last. It is read in both directions: rows are split on the way to Hugging Face and put
/// below each other on the way back. Adding an architecture is adding a table;
/// `Documentation/adding-an-architecture.md` does it by example.
package struct NameTable: Sendable {
  /// One tensor of OLMo and what it is in Hugging Face's model.
  package struct Row: Sendable {
    /// A tensor of Hugging Face and the number of its rows, or elements for a vector.
    struct Part: Sendable {
      let name: String
      let rows: Extent
    }

    /// OLMo's name; inside of a layer, the name below that of the block.
    let olmo: String
    /// The rows of OLMo's tensor from the first to the last.
    let parts: [Part]
    /// The length of a row; `nil` for a vector.
    let columns: Extent?
    /// What the tensor depends on.
    let condition: Condition
  }

  /// What the existence of a tensor depends on.
  enum Condition: Sendable {
    /// Every model of the architecture has it.
    case always
    /// Models have it whose output does not share the embedding's weights, in OLMo and in Hugging
    /// Face.
    case untied
    /// OLMo has it if its layer norms have weights; Hugging Face always.
    case normWeights
    /// OLMo has it if its norms of queries and keys have weights; Hugging Face always.
    case queryKeyNormWeights
  }

  /// The names of Hugging Face's tensors in the order of its `state_dict()`, which decides how they
  /// are spread over shards.
  struct HuggingFaceOrder: Sendable {
    let beforeLayers: [String]
    let layer: [String]
    let afterLayers: [String]
  }

  /// What the table is called in messages.
  let name: String
  /// The tensors before the first layer, in the order of OLMo's `state_dict()`.
  let beforeLayers: [Row]
  /// The tensors of one layer, named below the layer, in the order of OLMo's `state_dict()`.
  let layer: [Row]
  /// The tensors after the last layer, in the order of OLMo's `state_dict()`.
  let afterLayers: [Row]
  /// The same from Hugging Face's side.
  let huggingFaceOrder: HuggingFaceOrder
  /// Buffers of Hugging Face's layers that older versions saved and every version computes anew.
  var ignoredBuffers: [String] = []
}

extension NameTable.Row {
  /// A matrix that both have under one name each.
  static func matrix(
    _ olmo: String, _ huggingFace: String, _ rows: Extent, by columns: Extent,
    _ condition: NameTable.Condition = .always
  ) -> Self {
    Self(
      olmo: olmo, parts: [.init(name: huggingFace, rows: rows)], columns: columns,
      condition: condition)
  }

  /// A matrix of OLMo that consists of several of Hugging Face, the first on top.
  static func stack(
    _ olmo: String, of parts: KeyValuePairs<String, Extent>, by columns: Extent
  ) -> Self {
    Self(
      olmo: olmo, parts: parts.map { .init(name: $0.key, rows: $0.value) }, columns: columns,
      condition: .always)
  }

  /// The weights of a norm.
  static func norm(
    _ olmo: String, _ huggingFace: String, _ size: Extent,
    _ condition: NameTable.Condition = .normWeights
  ) -> Self {
    Self(
      olmo: olmo, parts: [.init(name: huggingFace, rows: size)], columns: nil,
      condition: condition)
  }
}

extension NameTable {
  /// Where OLMo has the blocks (`OLMo.transformer` in `olmo/model.py`).
  static let olmoBlocks = "transformer.blocks"
  /// Where OLMo has the blocks if they are in groups (`block_group_size`).
  static let olmoBlockGroups = "transformer.block_groups"
  /// Where Hugging Face has the layers.
  static let huggingFaceLayers = "model.layers"
}

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
