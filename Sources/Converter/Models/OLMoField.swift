package import CkptBase
package import CkptYAML

/// A field of the `model:` section: its name, kind and default value.
package struct OLMoField: Sendable {
  /// A kind of value.
  package enum Kind: Hashable, Sendable {
    /// A whole number.
    case integer
    /// Any number.
    case number
    /// `true` or `false`.
    case bool
    /// Text.
    case text
    /// One of a few words.
    case choice([String])
  }

  /// The name.
  package let name: String
  /// The kind of its value.
  package let kind: Kind
  /// Whether it can be `null`.
  package let isOptional: Bool
  /// The value that OLMo uses for a missing field.
  package let defaultValue: YAMLScalar

  private init(_ name: String, _ kind: Kind, _ value: YAMLScalar, optional: Bool = false) {
    self.name = name
    self.kind = kind
    self.isOptional = optional
    self.defaultValue = value
  }

  /// The maximum integer; products of two such numbers fit 64 bits.
  package static let largestInteger = 1 << 31

  /// The maximum number of layers; published models have fewer than 200.
  package static let largestLayerCount = 4096

  /// All fields in the order of OLMo's `ModelConfig` (`olmo/config.py`, OLMo 0.6.0).
  package static let all: [OLMoField] = [
    OLMoField("d_model", .integer, .integer(768)),
    OLMoField("n_heads", .integer, .integer(12)),
    OLMoField("n_kv_heads", .integer, .null, optional: true),
    OLMoField("clip_qkv", .number, .null, optional: true),
    OLMoField("n_layers", .integer, .integer(12)),
    OLMoField("mlp_ratio", .integer, .integer(4)),
    OLMoField("mlp_hidden_size", .integer, .null, optional: true),
    OLMoField("activation_type", .choice(["gelu", "relu", "swiglu"]), .string("swiglu")),
    OLMoField("block_type", .choice(["sequential", "llama"]), .string("sequential")),
    OLMoField("block_group_size", .integer, .integer(1)),
    OLMoField("alibi", .bool, .bool(false)),
    OLMoField("alibi_bias_max", .number, .number(8)),
    OLMoField("rope", .bool, .bool(false)),
    OLMoField("rope_full_precision", .bool, .bool(true)),
    OLMoField("rope_theta", .integer, .integer(10_000)),
    OLMoField("flash_attention", .bool, .bool(false)),
    OLMoField("attention_dropout", .number, .number(0.1)),
    OLMoField("multi_query_attention", .bool, .null, optional: true),
    OLMoField("attention_layer_norm", .bool, .bool(false)),
    OLMoField("residual_dropout", .number, .number(0.1)),
    OLMoField("embedding_dropout", .number, .number(0.1)),
    OLMoField("embedding_layer_norm", .bool, .bool(false)),
    OLMoField(
      "layer_norm_type", .choice(["default", "low_precision", "rms"]), .string("default")),
    OLMoField("layer_norm_with_affine", .bool, .bool(true)),
    OLMoField("layer_norm_eps", .number, .number(1e-5)),
    OLMoField("attention_layer_norm_with_affine", .bool, .bool(true)),
    OLMoField("max_sequence_length", .integer, .integer(1024)),
    OLMoField("include_bias", .bool, .bool(true)),
    OLMoField("bias_for_layer_norm", .bool, .null, optional: true),
    OLMoField("scale_logits", .bool, .bool(false)),
    OLMoField("vocab_size", .integer, .integer(50257)),
    OLMoField("embedding_size", .integer, .integer(50304), optional: true),
    OLMoField("weight_tying", .bool, .bool(true)),
    OLMoField("eos_token_id", .integer, .integer(50256)),
    OLMoField("pad_token_id", .integer, .integer(50256)),
    OLMoField("init_device", .text, .null, optional: true),
    OLMoField(
      "init_fn",
      .choice(["mitchell", "normal", "kaiming_normal", "fan_in", "full_megatron"]),
      .string("normal")),
    OLMoField("init_std", .number, .number(0.02)),
    OLMoField("init_cutoff_factor", .number, .null, optional: true),
    OLMoField("precision", .text, .null, optional: true),
    OLMoField("scale_emb_init", .bool, .bool(false)),
    OLMoField("emb_init_std", .number, .null, optional: true),
    OLMoField("norm_after", .bool, .bool(false)),
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// Returns the field with a name, if OLMo has it.
  package static func named(_ name: String) -> OLMoField? { byName[name] }
}

extension OLMoField {
  /// Returns the value that OLMo reads from `value`.
  ///
  /// OmegaConf converts values without loss: `"12"` can be an integer, and `8` a number.
  ///
  /// - Throws: `malformed` for another kind of value, `unsupported` for an interpolation.
  package func value(of value: YAMLValue) throws(CheckpointError) -> YAMLScalar {
    guard let scalar = value.scalar else { throw unexpected("a list or mapping") }
    switch (kind, scalar) {
    case (_, .null) where isOptional: return .null
    case (_, .string(let text)) where text.contains("${"):
      throw CheckpointError(
        .unsupported, "'\(name)' is the interpolation '\(text)', which only OmegaConf can resolve",
        remedy: "write the value itself")
    case (.integer, _): return .integer(try integer(scalar))
    case (.number, .integer(let value)): return .number(Double(value))
    case (.number, .number): return scalar
    case (.number, .string(let text)): if let value = Double(text) { return .number(value) }
    case (.bool, .bool): return scalar
    case (.bool, .integer(let value)): return .bool(value != 0)
    case (.bool, .string(let text)): if let value = Self.truth(text) { return .bool(value) }
    case (.text, .null): break
    case (.text, _): return .string(scalar.description)
    case (.choice(let words), .string(let text)) where words.contains(text): return scalar
    default: break
    }
    throw unexpected("'\(scalar)'")
  }

  /// Returns the boolean that OmegaConf reads from a quoted word.
  private static func truth(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes", "on", "y", "1": true
    case "false", "no", "off", "n", "0": false
    default: nil
    }
  }

  private func integer(_ scalar: YAMLScalar) throws(CheckpointError) -> Int {
    let value: Int
    switch scalar {
    case .integer(let number): value = number
    case .string(let text):
      guard let number = Int(text) else { throw unexpected("'\(text)'") }
      value = number
    default: throw unexpected("'\(scalar)'")
    }
    guard value.magnitude <= Self.largestInteger else {
      throw CheckpointError(
        .limitExceeded, "'\(name)' is \(value), but the limit is \(Self.largestInteger)")
    }
    return value
  }

  private func unexpected(_ found: String) -> CheckpointError {
    let expected: String
    switch kind {
    case .integer: expected = "an integer"
    case .number: expected = "a number"
    case .bool: expected = "true or false"
    case .text: expected = "text"
    case .choice(let words): expected = "one of " + words.joined(separator: ", ")
    }
    return CheckpointError(
      .malformed,
      "'\(name)' is \(found), but OLMo expects \(expected)"
        + (isOptional ? " or null" : ""))
  }
}
