/// The names of an architecture's tensors in OLMo, OLMo-core and Hugging Face.
///
/// A table lists, for each tensor of OLMo, the Hugging Face tensors that make up its rows, from the
/// first row to the last. OLMo-core has the tensors of Hugging Face under names of its own. The table
/// is read in all directions: rows are split on the way to Hugging Face and OLMo-core, and joined on
/// the way back. A new architecture needs a new table; `Documentation/adding-an-architecture.md`
/// shows an example.
package struct NameTable: Sendable {
  /// A tensor of OLMo and its parts in the Hugging Face model.
  package struct Row: Sendable {
    /// A Hugging Face tensor and the number of its rows, or of its elements for a vector.
    struct Part: Sendable {
      let name: String
      /// OLMo-core's name of the same tensor.
      let core: String
      let rows: Extent

      init(_ name: String, core: String, _ rows: Extent) {
        self.name = name
        self.core = core
        self.rows = rows
      }
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
    _ olmo: String, _ huggingFace: String, core: String, _ rows: Extent, by columns: Extent,
    _ condition: NameTable.Condition = .always
  ) -> Self {
    Self(
      olmo: olmo, parts: [.init(huggingFace, core: core, rows)], columns: columns,
      condition: condition)
  }

  /// Returns a row of an OLMo matrix that joins several of Hugging Face, the first on top.
  static func stack(
    _ olmo: String, of parts: [Part], by columns: Extent
  ) -> Self {
    Self(olmo: olmo, parts: parts, columns: columns, condition: .always)
  }

  /// Returns a row of the weights of a norm.
  static func norm(
    _ olmo: String, _ huggingFace: String, core: String, _ size: Extent,
    _ condition: NameTable.Condition = .normWeights
  ) -> Self {
    Self(
      olmo: olmo, parts: [.init(huggingFace, core: core, size)], columns: nil,
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
  /// The prefix of OLMo-core's blocks (`Transformer` in `olmo_core/nn/transformer/model.py`).
  static let coreBlocks = "blocks"
}

/// Rows of several architectures.
extension NameTable.Row {
  /// The token embedding.
  static let embedding = matrix(
    "transformer.wte.weight", "model.embed_tokens.weight", core: "embeddings.weight",
    .vocabulary, by: .hidden)
  /// The norm after the last layer.
  static let finalNorm = norm(
    "transformer.ln_f.weight", "model.norm.weight", core: "lm_head.norm.weight", .hidden)
  /// The output matrix, if it is not tied to the embedding.
  static let output = matrix(
    "transformer.ff_out.weight", "lm_head.weight", core: "lm_head.w_out.weight",
    .vocabulary, by: .hidden, .untied)

  /// Queries, keys and values in one matrix, as in `OLMoSequentialBlock` (`olmo/model.py`).
  static let fusedAttentionInput = stack(
    "att_proj.weight",
    of: [
      .init("self_attn.q_proj.weight", core: "attention.w_q.weight", .hidden),
      .init("self_attn.k_proj.weight", core: "attention.w_k.weight", .keys),
      .init("self_attn.v_proj.weight", core: "attention.w_v.weight", .keys),
    ], by: .hidden)
  /// Separate queries, as in `OLMoLlamaBlock` (`olmo/model.py`).
  static let queries = matrix(
    "q_proj.weight", "self_attn.q_proj.weight", core: "attention.w_q.weight",
    .hidden, by: .hidden)
  /// Separate keys.
  static let keys = matrix(
    "k_proj.weight", "self_attn.k_proj.weight", core: "attention.w_k.weight", .keys, by: .hidden)
  /// Separate values.
  static let values = matrix(
    "v_proj.weight", "self_attn.v_proj.weight", core: "attention.w_v.weight", .keys, by: .hidden)
  /// The output matrix of attention.
  static let attentionOutput = matrix(
    "attn_out.weight", "self_attn.o_proj.weight", core: "attention.w_out.weight",
    .hidden, by: .hidden)

  /// The value and the gate in one matrix, in the order in which `SwiGLU` splits its input.
  static let gatedFeedForwardInput = stack(
    "ff_proj.weight",
    of: [
      .init("mlp.up_proj.weight", core: "feed_forward.w3.weight", .feedForward),
      .init("mlp.gate_proj.weight", core: "feed_forward.w1.weight", .feedForward),
    ],
    by: .hidden)
  /// The output matrix of the feed-forward layer.
  static let feedForwardOutput = matrix(
    "ff_out.weight", "mlp.down_proj.weight", core: "feed_forward.w2.weight",
    .hidden, by: .feedForward)
}
