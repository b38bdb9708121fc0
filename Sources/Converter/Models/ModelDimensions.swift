internal import CkptBase

/// The numbers of a configuration that decide which tensors a model has and of which shapes.
package struct ModelDimensions: Hashable, Sendable {
  /// The rows of the embedding, padding included.
  package var vocabulary: Int
  /// The width of the model.
  package var hidden: Int
  /// The width of all key heads together.
  package var keys: Int
  /// The width of the feed-forward network: of the gate alone, half of OLMo's `mlp_hidden_size`.
  package var feedForward: Int
  /// The number of layers.
  package var layers: Int
  /// Whether the output has the embedding's weights and no tensor of its own.
  package var isTied = false
  /// Whether OLMo's layer norms have weights; where they do not, Hugging Face's are all ones.
  package var normsHaveWeights = true
  /// Whether OLMo's norms of queries and keys have weights.
  package var queryKeyNormsHaveWeights = true
  /// How many layers a group has in OLMo's names; 1 stands for no groups.
  package var blockGroupSize = 1

  /// The dimensions of a model whose norms have weights and whose output has its own.
  package init(vocabulary: Int, hidden: Int, keys: Int, feedForward: Int, layers: Int) {
    self.vocabulary = vocabulary
    self.hidden = hidden
    self.keys = keys
    self.feedForward = feedForward
    self.layers = layers
  }

  /// The number that an extent stands for.
  package subscript(extent: Extent) -> Int {
    switch extent {
    case .vocabulary: vocabulary
    case .hidden: hidden
    case .keys: keys
    case .feedForward: feedForward
    }
  }

  /// The most layers that a configuration may ask for; published models have below 200.
  private static let largestLayerCount = 4096

  /// The largest width; with it no count of elements or bytes overflows.
  private static let largestExtent = 1 << 28

  /// Refuses numbers that no model has, since tensors are listed from them.
  ///
  /// - Throws: `malformed` for sizes that are not positive, `limitExceeded` for absurd ones.
  func check() throws(CheckpointError) {
    for extent in Extent.allCases {
      let fields = "\(extent.olmoFields) (\(extent.huggingFaceFields))"
      guard self[extent] > 0 else {
        throw CheckpointError(.malformed, "the configuration says \(self[extent]) for \(fields)")
      }
      guard self[extent] <= Self.largestExtent else {
        throw CheckpointError(
          .limitExceeded,
          "the configuration says \(self[extent]) for \(fields), and at most "
            + "\(Self.largestExtent) is read")
      }
    }
    guard layers > 0, blockGroupSize > 0, layers % blockGroupSize == 0 else {
      throw CheckpointError(
        .malformed,
        "\(layers) layers (n_layers) do not fill groups of \(blockGroupSize) (block_group_size)")
    }
    guard layers <= Self.largestLayerCount else {
      throw CheckpointError(
        .limitExceeded,
        "the configuration says \(layers) layers, and at most \(Self.largestLayerCount) are read")
    }
  }
}

/// A size that a model's configuration decides.
package enum Extent: Hashable, Sendable, CaseIterable {
  /// The rows of the embedding, padding included.
  case vocabulary
  /// The width of the model, which is also that of all query heads together.
  case hidden
  /// The width of all key heads together, and of all value heads.
  case keys
  /// The width between the two halves of the feed-forward network: of the gate, and of the rest.
  case feedForward

  /// The fields of OLMo's `ModelConfig` that decide it.
  package var olmoFields: String {
    switch self {
    case .vocabulary: "embedding_size, or vocab_size"
    case .hidden: "d_model"
    case .keys: "d_model / n_heads * n_kv_heads"
    case .feedForward: "mlp_hidden_size / 2, or mlp_ratio * d_model / 2"
    }
  }

  /// The fields of Hugging Face's `config.json` that decide it.
  package var huggingFaceFields: String {
    switch self {
    case .vocabulary: "vocab_size"
    case .hidden: "hidden_size"
    case .keys: "hidden_size / num_attention_heads * num_key_value_heads"
    case .feedForward: "intermediate_size"
    }
  }
}
