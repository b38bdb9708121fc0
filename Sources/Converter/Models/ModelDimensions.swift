internal import CkptBase

/// The numbers of a configuration that decide the tensors of a model and their shapes.
package struct ModelDimensions: Hashable, Sendable {
  /// The number of embedding rows, including padding.
  package var vocabulary: Int
  /// The hidden size.
  package var hidden: Int
  /// The total size of all key heads.
  package var keys: Int
  /// The size of the feed-forward layer: of the gate alone, half of OLMo's `mlp_hidden_size`.
  package var feedForward: Int
  /// The number of layers.
  package var layers: Int
  /// Whether the output shares the embedding's weights and has no tensor of its own.
  package var isTied = false
  /// Whether OLMo's layer norms have weights; otherwise Hugging Face's are all ones.
  package var normsHaveWeights = true
  /// Whether OLMo's norms of queries and keys have weights.
  package var queryKeyNormsHaveWeights = true
  /// The number of layers in a group of OLMo's names; 1 for no groups.
  package var blockGroupSize = 1

  /// Creates the dimensions of a model whose norms have weights and whose output is not tied.
  package init(vocabulary: Int, hidden: Int, keys: Int, feedForward: Int, layers: Int) {
    self.vocabulary = vocabulary
    self.hidden = hidden
    self.keys = keys
    self.feedForward = feedForward
    self.layers = layers
  }

  /// The size of an extent.
  package subscript(extent: Extent) -> Int {
    switch extent {
    case .vocabulary: vocabulary
    case .hidden: hidden
    case .keys: keys
    case .feedForward: feedForward
    }
  }

  /// The maximum size of an extent; with it no count of elements or bytes overflows.
  private static let largestExtent = 1 << 28

  /// Refuses impossible numbers, because they decide the number of tensors.
  ///
  /// - Throws: `malformed` for sizes that are not positive, `limitExceeded` for huge ones.
  func check() throws(CheckpointError) {
    for extent in Extent.allCases {
      let fields = "\(extent.olmoFields) (\(extent.huggingFaceFields))"
      guard self[extent] > 0 else {
        throw CheckpointError(.malformed, "the configuration has \(self[extent]) for \(fields)")
      }
      guard self[extent] <= Self.largestExtent else {
        throw CheckpointError(
          .limitExceeded,
          "the configuration has \(self[extent]) for \(fields), but the limit is "
            + "\(Self.largestExtent)")
      }
    }
    guard layers > 0, blockGroupSize > 0, layers % blockGroupSize == 0 else {
      throw CheckpointError(
        .malformed,
        "\(layers) layers (n_layers) are not a multiple of the group size \(blockGroupSize) (block_group_size)"
      )
    }
    guard layers <= OLMoField.largestLayerCount else {
      throw CheckpointError(
        .limitExceeded,
        "the configuration has \(layers) layers, but the limit is \(OLMoField.largestLayerCount)")
    }
  }
}

/// A size in a model's configuration.
package enum Extent: Hashable, Sendable, CaseIterable {
  /// The number of embedding rows, including padding.
  case vocabulary
  /// The hidden size, which is also the total size of all query heads.
  case hidden
  /// The total size of all key heads, and of all value heads.
  case keys
  /// The size between the two halves of the feed-forward layer: of the gate, and of the other half.
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

  /// The fields of the `model` section of OLMo-core's `config.json` that decide it.
  package var coreFields: String {
    switch self {
    case .vocabulary: "vocab_size"
    case .hidden: "d_model"
    case .keys: "d_model / n_heads * n_kv_heads"
    case .feedForward: "feed_forward.hidden_size"
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
