internal import CkptBase
internal import CkptYAML

/// A field of the `model` section of OLMo-core's `config.json`, related to a field of OLMo's
/// `model:` section.
///
/// The list is read in both directions, in its order. Names and classes are those of OLMo-core 3.0
/// (`olmo_core/nn/transformer/config.py` and what it imports).
package struct OLMoCoreField: Sendable {
  /// The path below `model`, such as `block.feed_forward.hidden_size`.
  package let path: String
  /// OLMo's field with the same meaning.
  package let olmo: String?
  /// The outcome in reports of translations from OLMo-core.
  let status: FieldReport.Status
  /// The reason or formula.
  let note: String?
  /// Whether every model has the field.
  var isRequired = false
  /// Sets OLMo's field.
  let read: @Sendable (YAMLValue, inout OLMoModelConfig) throws(CheckpointError) -> Void
  /// Returns the value for a model; `nil` if the model does not have the field.
  let write: @Sendable (OLMoModelConfig) -> YAMLValue?
}

extension OLMoCoreField {
  /// Returns a field with the value of OLMo's field.
  static func same(_ path: String, _ olmo: String, isRequired: Bool = false) -> Self {
    Self(
      path: path, olmo: olmo, status: .mapped, note: nil, isRequired: isRequired,
      read: { (value, model) throws(CheckpointError) in
        guard let field = OLMoField.named(olmo) else { return }
        model[olmo] = try field.value(of: value)
      },
      write: { model in model[olmo] == .null ? nil : YAMLValue(model[olmo]) })
  }

  /// Returns a field that must have one of `values` or be missing; the first is written.
  static func fixed(
    _ path: String, _ values: [YAMLScalar], _ reason: String, isRequired: Bool = false,
    if condition: @escaping @Sendable (OLMoModelConfig) -> Bool = { _ in true }
  ) -> Self {
    Self(
      path: path, olmo: nil, status: .derived, note: reason, isRequired: isRequired,
      read: { (value, _) throws(CheckpointError) in
        if let scalar = value.scalar, values.contains(scalar) { return }
        throw CheckpointError(
          .unsupported, "it is \(FieldReport.summary(of: value)): \(reason)")
      },
      write: { model in
        guard let value = values.first, value != .null, condition(model) else { return nil }
        return YAMLValue(value)
      })
  }

  /// Returns a field that does not change the results of the model.
  static func training(_ path: String, _ value: YAMLScalar?, _ note: String) -> Self {
    Self(
      path: path, olmo: nil, status: .notRepresentable, note: note,
      read: { (_, _) throws(CheckpointError) in }, write: { _ in value.map { YAMLValue($0) } })
  }

  /// Returns the name of a class, from which OLMo-core builds the object (`Config.from_dict`).
  static func name(
    _ name: String, of path: String,
    if condition: @escaping @Sendable (OLMoModelConfig) -> Bool = { _ in true }
  ) -> Self {
    Self(
      path: path + "_CLASS_", olmo: nil, status: .notRepresentable, note: "name of a class",
      read: { (_, _) throws(CheckpointError) in },
      write: { condition($0) ? YAMLValue(.string("olmo_core.nn.\(name)")) : nil })
  }

  /// Returns the epsilon of another norm, which must be that of the block's norms.
  static func epsilon(
    _ path: String, if condition: @escaping @Sendable (OLMoModelConfig) -> Bool = { _ in true }
  ) -> Self {
    Self(
      path: path, olmo: nil, status: .derived, note: "all norms have the same epsilon",
      read: { (value, model) throws(CheckpointError) in
        guard value.scalar == model["layer_norm_eps"] else {
          throw CheckpointError(
            .unsupported,
            "it is \(FieldReport.summary(of: value)), but block.layer_norm.eps is "
              + "\(model["layer_norm_eps"])")
        }
      },
      write: { condition($0) ? YAMLValue($0["layer_norm_eps"]) : nil })
  }
}

// Fields with formulas.

extension OLMoCoreField {
  static let feedForwardSize = Self(
    path: "block.feed_forward.hidden_size", olmo: "mlp_hidden_size", status: .derived,
    note: "mlp_hidden_size / 2", isRequired: true,
    read: { (value, model) throws(CheckpointError) in
      guard case .integer(let size) = value.scalar, (1...OLMoField.largestInteger).contains(size)
      else { throw unexpected(value, "a positive integer") }
      model["mlp_hidden_size"] = .integer(2 * size)
    },
    write: { YAMLValue(.integer($0.feedForwardRowCount / 2)) })

  static let keyValueHeads = Self(
    path: "\(mixer)n_kv_heads", olmo: "n_kv_heads", status: .derived,
    note: "missing if it is n_heads",
    read: { (value, model) throws(CheckpointError) in
      guard let field = OLMoField.named("n_kv_heads") else { return }
      model["n_kv_heads"] = try field.value(of: value)
    },
    write: { model in
      model.keyValueHeadCount == model.headCount
        ? nil : YAMLValue(.integer(model.keyValueHeadCount))
    })

  /// The order of a block's norms: `default` before, `reordered_norm` after the layers
  /// (`TransformerBlockType`).
  static let blockName = Self(
    path: "block.name", olmo: "norm_after", status: .derived,
    note: "reordered_norm if norm_after, else default",
    read: { (value, model) throws(CheckpointError) in
      switch value.scalar {
      case .string("default"): model["norm_after"] = .bool(false)
      case .string("reordered_norm"): model["norm_after"] = .bool(true)
      default:
        throw CheckpointError(
          .unsupported,
          "it is \(FieldReport.summary(of: value)); only default and reordered_norm have a "
            + "counterpart in transformers")
      }
    },
    write: { YAMLValue(.string($0.normalizesAfterward ? "reordered_norm" : "default")) })

  static let queryKeyNorm = Self(
    path: "\(mixer)qk_norm.name", olmo: "attention_layer_norm", status: .derived,
    note: "rms if attention_layer_norm, else missing",
    read: { (value, model) throws(CheckpointError) in
      guard let scalar = value.scalar, norms.contains(scalar) else {
        throw unexpected(value, "an RMS norm")
      }
      model["attention_layer_norm"] = .bool(true)
    },
    write: { $0.normalizesQueriesAndKeys ? YAMLValue(.string("rms")) : nil })

  static let rotation = Self(
    path: "\(mixer)rope.name", olmo: "rope", status: .derived, note: "default if rope",
    read: { (value, model) throws(CheckpointError) in
      // `complex` rotates neighboring elements, not the two halves of a head.
      guard [.string("default"), .string("fused")].contains(value.scalar) else {
        throw unexpected(value, "default or fused")
      }
      model["rope"] = .bool(true)
    },
    write: { _ in YAMLValue(.string("default")) })

  static let rotationBase = Self(
    path: "\(mixer)rope.theta", olmo: "rope_theta", status: .mapped, note: nil,
    read: { (value, model) throws(CheckpointError) in
      let theta: Int? =
        switch value.scalar {
        case .integer(let theta): theta
        case .number(let theta): Int(exactly: theta)
        default: nil
        }
      guard let theta, (1...OLMoField.largestInteger).contains(theta) else {
        throw unexpected(value, "a whole number")
      }
      model["rope_theta"] = .integer(theta)
    },
    write: { YAMLValue($0["rope_theta"]) })

  static let windowPattern = Self(
    path: "\(mixer)sliding_window.pattern", olmo: nil, status: .derived,
    note: "sliding_window and layer_types",
    read: { (_, _) throws(CheckpointError) in },
    write: { model in
      model.slidingWindow.map { window in
        YAMLValue(.sequence(window.corePattern.map { YAMLValue(.integer($0)) }))
      }
    })

  static func windowFlag(_ name: String) -> Self {
    Self(
      path: "\(mixer)sliding_window.\(name)", olmo: nil, status: .derived, note: "layer_types",
      read: { (_, _) throws(CheckpointError) in },
      write: { $0.slidingWindow == nil ? nil : YAMLValue(.bool(false)) })
  }

  /// The prefix of the attention's fields; OLMo-core 1.8 calls it `block.attention`.
  static let mixer = "block.sequence_mixer."
  static let oldMixer = "block.attention."

  /// The kinds of RMS norms, which compute the same.
  static let norms: [YAMLScalar] = [.string("rms"), .string("fused_rms"), .string("cute_rms")]

  private static func unexpected(_ value: YAMLValue, _ expected: String) -> CheckpointError {
    CheckpointError(
      .unsupported, "it is \(FieldReport.summary(of: value)), expected \(expected)")
  }
}
