import CkptBase
import CkptModels
import Testing
import CkptYAML

/// Configurations in the words of the tests.
enum Samples {
  /// The `model:` section of a small model of each class, with the fields that its class needs.
  static let sections: [Architecture: String] = [
    .olmo: """
    d_model: 64
    n_heads: 4
    n_layers: 2
    mlp_hidden_size: 352
    rope: true
    include_bias: false
    layer_norm_with_affine: false
    attention_layer_norm_with_affine: false
    attention_dropout: 0.0
    max_sequence_length: 64
    vocab_size: 4000
    embedding_size: 4096
    eos_token_id: 3998
    pad_token_id: 1
    """,
    .olmo2: """
    d_model: 64
    n_heads: 4
    n_layers: 2
    mlp_ratio: 8
    rope: true
    rope_theta: 500000
    include_bias: false
    layer_norm_type: rms
    layer_norm_eps: 1e-6
    attention_layer_norm: true
    norm_after: true
    weight_tying: false
    attention_dropout: 0.0
    max_sequence_length: 64
    vocab_size: 4000
    embedding_size: 4096
    eos_token_id: 3998
    pad_token_id: 3999
    """,
    .llama: """
    d_model: 64
    n_heads: 4
    n_layers: 2
    mlp_ratio: 8
    rope: true
    include_bias: false
    layer_norm_type: rms
    layer_norm_eps: 1e-6
    weight_tying: false
    attention_dropout: 0.0
    max_sequence_length: 64
    vocab_size: 4000
    embedding_size: 4096
    eos_token_id: 3998
    pad_token_id: 1
    """,
  ]

  /// A configuration of that class with some fields changed.
  static func olmo(
    _ architecture: Architecture, changing changes: String = "", rest: String = ""
  ) throws -> OLMoConfig {
    let changed = Set(changes.split(separator: "\n").map { $0.prefix { $0 != ":" } })
    var lines = (sections[architecture] ?? "").split(separator: "\n")
    lines.removeAll { changed.contains($0.prefix { $0 != ":" }) }
    lines += changes.split(separator: "\n")
    let text = "model:\n" + lines.map { "  \($0)\n" }.joined() + rest
    return try OLMoConfig(reading: Array(text.utf8))
  }

  /// The shortest `config.json` that names its class, with more members.
  static func huggingFace(_ type: String, _ members: String = "") throws -> HuggingFaceConfig {
    let rest = members.isEmpty ? "" : ", \(members)"
    return try HuggingFaceConfig(reading: Array(#"{"model_type": "\#(type)"\#(rest)}"#.utf8))
  }

  /// The classes of models that OLMo's trainer has; that of OLMo 3 is OLMo-core's alone.
  static let classes = Architecture.allCases.filter { $0 != .olmo3 }
}

/// A configuration that is translated, and what is expected of one place of the result.
struct Translated: Sendable, CustomTestStringConvertible {
  let architecture: Architecture
  let change: String
  let name: String
  let value: YAMLScalar

  init(_ architecture: Architecture, _ change: String, _ name: String, _ value: YAMLScalar) {
    self.architecture = architecture
    self.change = change
    self.name = name
    self.value = value
  }

  var testDescription: String { "\(architecture.rawValue), \(change): \(name)" }
}
