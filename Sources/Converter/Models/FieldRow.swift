package import CkptBase
package import CkptYAML

/// A row of a ``FieldTable``: the relation between fields of the two sides.
///
/// A row is read in both directions.
package struct FieldRow: Sendable {
  /// A relation between the two sides.
  package enum Rule: Sendable {
    /// The values are equal. If Hugging Face's member is missing, its class uses `missing`.
    case same(missing: YAMLScalar)
    /// A formula computes one side from the other.
    case derived(Derivation)
    /// The class has OLMo's field built in. Values that `permits` rejects are refused; on the way
    /// back the field is `value`.
    case implied(YAMLScalar, permits: @Sendable (OLMoModelConfig) -> Bool, reason: String)
    /// OLMo has the member built in. It is written as `value`, if there is one. A configuration
    /// that `permits` rejects has no counterpart.
    case fixed(YAMLScalar?, permits: @Sendable (HuggingFaceConfig) -> Bool, reason: String)
    /// Only OLMo has the field, and it does not change the model's results. `official` is the value
    /// in OLMo's own configurations.
    case onlyOLMo(official: YAMLScalar, note: String)
    /// Only Hugging Face has the member, and it does not change the model's results. It is written
    /// as `value`, if there is one.
    case onlyHuggingFace(YAMLScalar?, note: String)
  }

  /// A formula in both directions.
  package struct Derivation: Sendable {
    /// The formula for Hugging Face's member, for people.
    package let formula: String
    /// The formula for OLMo's fields, for people.
    package let inverse: String
    /// Computes the member from the model.
    let toHuggingFace: @Sendable (OLMoModelConfig, TranslationContext) -> YAMLValue
    /// Sets the fields from the member; `nil` means that it is missing.
    ///
    /// - Throws: `unsupported` for a value that no OLMo model has.
    let toOLMo: @Sendable (HuggingFaceConfig, inout OLMoModelConfig) throws(CheckpointError) -> Void
  }

  /// OLMo's fields, the most important first.
  ///
  /// No other row has them.
  package let olmo: [String]
  /// Hugging Face's member.
  package let huggingFace: String?
  /// The relation.
  package let rule: Rule

  package init(_ olmo: [String], _ huggingFace: String?, _ rule: Rule) {
    self.olmo = olmo
    self.huggingFace = huggingFace
    self.rule = rule
  }
}

extension FieldRow {
  /// Returns a row of two fields with the same meaning.
  static func same(_ olmo: String, _ huggingFace: String, missing: YAMLScalar) -> FieldRow {
    FieldRow([olmo], huggingFace, .same(missing: missing))
  }

  /// Returns a row of a field that must have one value for the class.
  static func implied(_ olmo: String, _ value: YAMLScalar, _ reason: String) -> FieldRow {
    FieldRow([olmo], nil, .implied(value, permits: { $0[olmo] == value }, reason: reason))
  }

  /// Returns a row of a member that must have one value for OLMo.
  static func fixed(_ huggingFace: String, _ value: YAMLScalar, _ reason: String) -> FieldRow {
    FieldRow(
      [], huggingFace,
      .fixed(value, permits: { ($0[huggingFace]?.scalar ?? value) == value }, reason: reason))
  }

  /// Returns a row of a field that the class does not need.
  static func onlyOLMo(_ olmo: String, _ official: YAMLScalar, _ note: String) -> FieldRow {
    FieldRow([olmo], nil, .onlyOLMo(official: official, note: note))
  }

  /// Returns a row of a member that OLMo does not need.
  static func onlyHuggingFace(
    _ huggingFace: String, _ value: YAMLScalar?, _ note: String
  ) -> FieldRow {
    FieldRow([], huggingFace, .onlyHuggingFace(value, note: note))
  }
}

extension FieldRow {
  /// Returns the value of Hugging Face's member for `model`; `nil` if none is written.
  func huggingFaceValue(of model: OLMoModelConfig, _ context: TranslationContext) -> YAMLValue? {
    switch rule {
    case .same: YAMLValue(model[olmo[0]])
    case .derived(let derivation): derivation.toHuggingFace(model, context)
    case .fixed(let value, _, _), .onlyHuggingFace(let value, _): value.map { YAMLValue($0) }
    case .implied, .onlyOLMo: nil
    }
  }

  /// Checks that the class can compute the same as `model`.
  ///
  /// - Throws: `unsupported` with the field that it cannot express, and the reason.
  func requireFit(of model: OLMoModelConfig, to architecture: Architecture) throws(CheckpointError)
  {
    guard case .implied(_, let permits, let reason) = rule, !permits(model) else { return }
    throw CheckpointError(
      .unsupported,
      "'\(olmo[0])' is \(model[olmo[0]]), which \(architecture.rawValue) cannot express: "
        + reason)
  }

  /// Sets the fields of this row from `config`, or from OLMo's own configurations if it has no
  /// value.
  ///
  /// - Throws: `unsupported` for a value that no OLMo model has, `malformed` for a value of the
  ///   wrong kind.
  func read(_ config: HuggingFaceConfig, into model: inout OLMoModelConfig) throws(CheckpointError)
  {
    switch rule {
    case .same(let missing):
      guard let field = OLMoField.named(olmo[0]), let name = huggingFace else { return }
      let value = config[name] ?? YAMLValue(missing)
      model[field.name] = try CheckpointError.within(name) { () throws(CheckpointError) in
        try field.value(of: value)
      }
    case .derived(let derivation): try derivation.toOLMo(config, &model)
    case .implied(let value, _, _), .onlyOLMo(let value, _):
      for field in olmo { model[field] = value }
    case .fixed(_, let permits, let reason):
      guard permits(config) else {
        let name = huggingFace ?? ""
        let found = config[name].map { $0.scalar?.description ?? "set" } ?? "changed elsewhere"
        throw CheckpointError(
          .unsupported, "'\(name)' is \(found), which OLMo cannot express: \(reason)")
      }
    case .onlyHuggingFace: break
    }
  }

  /// Whether Hugging Face's side of this row is the same for two models.
  func agrees(
    _ model: OLMoModelConfig, _ other: OLMoModelConfig, _ context: TranslationContext
  ) -> Bool {
    switch rule {
    case .same, .derived:
      huggingFaceValue(of: model, context) == huggingFaceValue(of: other, context)
    case .implied(_, let permits, _): permits(model)
    case .onlyOLMo, .fixed, .onlyHuggingFace: true
    }
  }
}

extension FieldTable {
  /// Returns the model that `config` describes, with OLMo's own values for missing ones.
  ///
  /// - Throws: the errors of ``FieldRow/read(_:into:)``, and `malformed` for an impossible model.
  package func model(of config: HuggingFaceConfig) throws(CheckpointError) -> OLMoModelConfig {
    var model = OLMoModelConfig()
    for row in rows { try row.read(config, into: &model) }
    try model.requireConsistent()
    return model
  }
}

// The formulas of the tables, in both directions.

extension FieldRow.Derivation {
  static let keyValueHeads = Self(
    formula: "n_kv_heads; without it 1 if multi_query_attention, else n_heads",
    inverse: "num_key_value_heads; null if it is num_attention_heads",
    toHuggingFace: { model, _ in YAMLValue(.integer(model.keyValueHeadCount)) },
    toOLMo: { (config, model) throws(CheckpointError) in
      let count = try config.integer("num_key_value_heads", missing: nil) ?? model.headCount
      model["n_kv_heads"] = count == model.headCount ? .null : .integer(count)
      model["multi_query_attention"] = .null
    })

  static let intermediateSize = Self(
    formula: "mlp_hidden_size / 2; without it d_model * mlp_ratio / 2",
    inverse: "intermediate_size * 2",
    toHuggingFace: { model, _ in YAMLValue(.integer(model.feedForwardRowCount / 2)) },
    toOLMo: { (config, model) throws(CheckpointError) in
      let size = try config.integer("intermediate_size", missing: 11008) ?? 0
      model["mlp_hidden_size"] = .integer(size * 2)
    })

  static func vocabulary(missing: Int) -> Self {
    Self(
      formula: "embedding_size; without it vocab_size",
      inverse:
        "vocab_size; OLMo's own is the size of the tokenizer: 100278 for 100352 and "
        + "50280 for 50304",
      toHuggingFace: { model, _ in YAMLValue(.integer(model.embeddingCount)) },
      toOLMo: { (config, model) throws(CheckpointError) in
        let count = try config.integer("vocab_size", missing: missing) ?? 0
        model["embedding_size"] = .integer(count)
        model["vocab_size"] = .integer(unpadded[count] ?? count)
      })
  }

  /// The sizes of OLMo's tokenizers, by the embedding rows of its official models.
  private static let unpadded = [100_352: 100_278, 50_304: 50_280]

  static let headSize = Self(
    formula: "d_model / n_heads",
    inverse: "must be hidden_size / num_attention_heads",
    toHuggingFace: { model, _ in YAMLValue(.integer(model.headSize)) },
    toOLMo: { (config, _) throws(CheckpointError) in
      guard config.hasUniformHeads else {
        throw CheckpointError(
          .unsupported,
          "'head_dim' is \(config["head_dim"]?.scalar?.description ?? "no number"); "
            + "OLMo's heads have the size hidden_size / num_attention_heads")
      }
    })

  static let ropeTheta = Self(
    formula: "the same number",
    inverse: "rope_theta, or rope_parameters.rope_theta; must be whole",
    toHuggingFace: { model, _ in YAMLValue(model["rope_theta"]) },
    toOLMo: { (config, model) throws(CheckpointError) in
      let theta = try config.ropeTheta()
      guard let whole = Int(exactly: theta), whole <= OLMoField.largestInteger else {
        throw CheckpointError(.unsupported, "'rope_theta' is \(theta), but OLMo needs an integer")
      }
      model["rope_theta"] = .integer(whole)
    })

  static let slidingWindow = Self(
    formula: "the size of the windows",
    inverse: "the size of the windows",
    toHuggingFace: { model, _ in
      YAMLValue(model.slidingWindow.map { .integer($0.size) } ?? .null)
    },
    toOLMo: { (config, model) throws(CheckpointError) in
      model.slidingWindow = try SlidingWindow(of: config, layerCount: model.layerCount)
    })

  /// The rotation of each kind of attention, as transformers 5 needs it.
  ///
  /// From `rope_theta` alone it takes the base of full attention, and its own default for sliding
  /// attention (`Olmo3Config.convert_rope_params_to_dict`, seen in 5.23).
  static let ropeByAttention = Self(
    formula: "rope_theta for both kinds of attention",
    inverse: "rope_theta",
    toHuggingFace: { model, _ in
      var rope = YAMLMapping()
      rope["rope_theta"] = YAMLValue(model["rope_theta"])
      rope["rope_type"] = YAMLValue(.string("default"))
      var kinds = YAMLMapping()
      for kind in SlidingWindow.kinds { kinds[kind] = YAMLValue(.mapping(rope)) }
      return YAMLValue(.mapping(kinds))
    },
    toOLMo: { (_, _) throws(CheckpointError) in })

  static let layerTypes = Self(
    formula: "the layers with a window",
    inverse: "the layers with a window",
    toHuggingFace: { model, _ in
      YAMLValue(
        .sequence((model.slidingWindow?.layerTypes ?? []).map { YAMLValue(.string($0)) }))
    },
    toOLMo: { (_, _) throws(CheckpointError) in })

  /// OLMo's first models were trained with 0 as the end of text, although their tokenizer uses 0
  /// for something else.
  ///
  /// OLMo's conversion script always replaces it.
  static func endOfText(missing: Int) -> Self {
    Self(
      formula: "the same, but \(realEndOfText) for 0 with OLMo's tokenizer of 50280 tokens",
      inverse: "the same; of several the first",
      toHuggingFace: { model, context in
        let isMistaken =
          model["eos_token_id"] == .integer(0) && model.vocabularySize > realEndOfText
          && context.tokenizer?.contains("gpt-neox-20b") != true && !context.keepsEndOfText
        return YAMLValue(isMistaken ? .integer(realEndOfText) : model["eos_token_id"])
      },
      toOLMo: { (config, model) throws(CheckpointError) in
        model["eos_token_id"] = .integer(try config.endOfText(missing: missing))
      })
  }

  private static let realEndOfText = 50279

  static func padding(missing: YAMLScalar, missingEnd: Int) -> Self {
    Self(
      formula: "the same",
      inverse: "the same; without one eos_token_id",
      toHuggingFace: { model, _ in YAMLValue(model["pad_token_id"]) },
      toOLMo: { (config, model) throws(CheckpointError) in
        let fallback: Int? = if case .integer(let id) = missing { id } else { nil }
        let token = try config.integer("pad_token_id", missing: fallback) ?? -1
        model["pad_token_id"] =
          .integer(token >= 0 ? token : try config.endOfText(missing: missingEnd))
      })
  }
}

/// The facts outside of the model that formulas need.
package struct TranslationContext: Sendable {
  /// The name of the tokenizer, if the configuration has one.
  package var tokenizer: String?
  /// Whether an end-of-text token 0 is kept.
  package var keepsEndOfText = false
}
