/// A size that a model's configuration decides.
public enum Extent: Hashable, Sendable, CaseIterable {
  /// The rows of the embedding, padding included.
  case vocabulary
  /// The width of the model, which is also that of all query heads together.
  case hidden
  /// The width of all key heads together, and of all value heads.
  case keys
  /// The width between the two halves of the feed-forward network: of the gate, and of the rest.
  case feedForward

  /// The fields of OLMo's `ModelConfig` that decide it.
  public var olmoFields: String {
    switch self {
    case .vocabulary: "embedding_size, or vocab_size"
    case .hidden: "d_model"
    case .keys: "d_model / n_heads * n_kv_heads"
    case .feedForward: "mlp_hidden_size / 2, or mlp_ratio * d_model / 2"
    }
  }

  /// The fields of Hugging Face's `config.json` that decide it.
  public var huggingFaceFields: String {
    switch self {
    case .vocabulary: "vocab_size"
    case .hidden: "hidden_size"
    case .keys: "hidden_size / num_attention_heads * num_key_value_heads"
    case .feedForward: "intermediate_size"
    }
  }
}
