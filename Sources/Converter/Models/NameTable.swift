/// The names of an architecture's tensors in OLMo and in Hugging Face.
///
/// A table lists, for each tensor of OLMo, the Hugging Face tensors that make up its rows, from the
/// first row to the last. It is read in both directions: rows are split on the way to Hugging Face
/// and joined on the way back. A new architecture needs a new table;
/// `Documentation/adding-an-architecture.md` shows an example.
package struct NameTable: Sendable {
  /// A tensor of OLMo and its parts in the Hugging Face model.
  package struct Row: Sendable {
    /// A Hugging Face tensor and the number of its rows, or of its elements for a vector.
    struct Part: Sendable {
      let name: String
      let rows: Extent
    }

    /// OLMo's name; inside a layer, the name below the block.
    let olmo: String
    /// The parts of OLMo's tensor, from the first row to the last.
    let parts: [Part]
    /// The length of a row; `nil` for a vector.
    let columns: Extent?
    /// The condition for the tensor to exist.
    let condition: Condition
  }

  /// A condition for a tensor to exist.
  enum Condition: Sendable {
    /// Every model of the architecture has the tensor.
    case always
    /// A model has the tensor if its output is not tied to the embedding, in OLMo and in Hugging
    /// Face.
    case untied
    /// OLMo has the tensor if its layer norms have weights; Hugging Face always has it.
    case normWeights
    /// OLMo has the tensor if its query and key norms have weights; Hugging Face always has it.
    case queryKeyNormWeights
  }

  /// The names of Hugging Face's tensors in the order of its `state_dict()`, which decides their
  /// distribution over shards.
  struct HuggingFaceOrder: Sendable {
    let beforeLayers: [String]
    let layer: [String]
    let afterLayers: [String]
  }

  /// The name of the table in messages.
  let name: String
  /// The tensors before the first layer, in the order of OLMo's `state_dict()`.
  let beforeLayers: [Row]
  /// The tensors of one layer, named below the layer, in the order of OLMo's `state_dict()`.
  let layer: [Row]
  /// The tensors after the last layer, in the order of OLMo's `state_dict()`.
  let afterLayers: [Row]
  /// The names in Hugging Face's order.
  let huggingFaceOrder: HuggingFaceOrder
  /// The buffers of Hugging Face's layers that older versions saved; every version computes them
  /// anew.
  var ignoredBuffers: [String] = []
}

extension NameTable.Row {
  /// Returns a row of a matrix that both sides have.
  static func matrix(
    _ olmo: String, _ huggingFace: String, _ rows: Extent, by columns: Extent,
    _ condition: NameTable.Condition = .always
  ) -> Self {
    Self(
      olmo: olmo, parts: [.init(name: huggingFace, rows: rows)], columns: columns,
      condition: condition)
  }

  /// Returns a row of an OLMo matrix that joins several of Hugging Face, the first on top.
  static func stack(
    _ olmo: String, of parts: KeyValuePairs<String, Extent>, by columns: Extent
  ) -> Self {
    Self(
      olmo: olmo, parts: parts.map { .init(name: $0.key, rows: $0.value) }, columns: columns,
      condition: .always)
  }

  /// Returns a row of the weights of a norm.
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
  /// The prefix of OLMo's blocks (`OLMo.transformer` in `olmo/model.py`).
  static let olmoBlocks = "transformer.blocks"
  /// The prefix of OLMo's blocks in groups (`block_group_size`).
  static let olmoBlockGroups = "transformer.block_groups"
  /// The prefix of Hugging Face's layers.
  static let huggingFaceLayers = "model.layers"
}

/// Rows of several architectures.
extension NameTable.Row {
  /// The token embedding.
  static let embedding = matrix(
    "transformer.wte.weight", "model.embed_tokens.weight", .vocabulary, by: .hidden)
  /// The norm after the last layer.
  static let finalNorm = norm("transformer.ln_f.weight", "model.norm.weight", .hidden)
  /// The output matrix, if it is not tied to the embedding.
  static let output = matrix(
    "transformer.ff_out.weight", "lm_head.weight", .vocabulary, by: .hidden, .untied)

  /// Queries, keys and values in one matrix, as in `OLMoSequentialBlock` (`olmo/model.py`).
  static let fusedAttentionInput = stack(
    "att_proj.weight",
    of: [
      "self_attn.q_proj.weight": .hidden,
      "self_attn.k_proj.weight": .keys,
      "self_attn.v_proj.weight": .keys,
    ], by: .hidden)
  /// Separate queries, as in `OLMoLlamaBlock` (`olmo/model.py`).
  static let queries = matrix("q_proj.weight", "self_attn.q_proj.weight", .hidden, by: .hidden)
  /// Separate keys.
  static let keys = matrix("k_proj.weight", "self_attn.k_proj.weight", .keys, by: .hidden)
  /// Separate values.
  static let values = matrix("v_proj.weight", "self_attn.v_proj.weight", .keys, by: .hidden)
  /// The output matrix of attention.
  static let attentionOutput = matrix(
    "attn_out.weight", "self_attn.o_proj.weight", .hidden, by: .hidden)

  /// The value and the gate in one matrix, in the order in which `SwiGLU` splits its input.
  static let gatedFeedForwardInput = stack(
    "ff_proj.weight",
    of: ["mlp.up_proj.weight": .feedForward, "mlp.gate_proj.weight": .feedForward],
    by: .hidden)
  /// The output matrix of the feed-forward layer.
  static let feedForwardOutput = matrix(
    "ff_out.weight", "mlp.down_proj.weight", .hidden, by: .feedForward)
}
