package import CkptBase
package import CkptYAML

/// One line of a ``FieldTable``: what fields of the two sides have to do with each other.
///
/// A row is read in both directions.
package struct FieldRow: Sendable {
  /// How the two sides determine each other.
  package enum Rule: Sendable {
    /// The values are equal. Where Hugging Face's member is missing, its class takes `missing`.
    case same(missing: YAMLScalar)
    /// One side follows from the other by a formula.
    case derived(Derivation)
    /// The class has OLMo's field built in: other values than those that `permits` are refused, and
    /// on the way back the field is `value`.
    case implied(YAMLScalar, permits: @Sendable (OLMoModelConfig) -> Bool, reason: String)
    /// OLMo has the member built in: it is written as `value` if there is one, and a configuration
    /// that `permits` refuses has no counterpart.
    case fixed(YAMLScalar?, permits: @Sendable (HuggingFaceConfig) -> Bool, reason: String)
    /// The field does not change what the model computes, and only OLMo has it; `official` is what
    /// OLMo's own configurations say.
    case onlyOLMo(official: YAMLScalar, note: String)
    /// The member does not change what the model computes, and only Hugging Face has it; it is
    /// written as `value` if there is one.
    case onlyHuggingFace(YAMLScalar?, note: String)
  }

  /// A formula in both directions.
  package struct Derivation: Sendable {
    /// The formula for Hugging Face's member, for people.
    package let formula: String
    /// The formula for OLMo's fields, for people.
    package let inverse: String
    /// The member that follows from the model.
    let toHuggingFace: @Sendable (OLMoModelConfig, TranslationContext) -> YAMLScalar
    /// Sets the fields that follow from the member, of which `nil` means that it is missing.
    ///
    /// - Throws: `unsupported` for a member that no model of OLMo has.
    let toOLMo: @Sendable (HuggingFaceConfig, inout OLMoModelConfig) throws(CheckpointError) -> Void
  }

  /// OLMo's fields, in the order of their importance; they are in no other row.
  package let olmo: [String]
  /// Hugging Face's member.
  package let huggingFace: String?
  /// What they have to do with each other.
  package let rule: Rule

  package init(_ olmo: [String], _ huggingFace: String?, _ rule: Rule) {
    self.olmo = olmo
    self.huggingFace = huggingFace
    self.rule = rule
  }
}

extension FieldRow {
  /// A row of two fields that say the same.
  static func same(_ olmo: String, _ huggingFace: String, missing: YAMLScalar) -> FieldRow {
    FieldRow([olmo], huggingFace, .same(missing: missing))
  }

  /// A row of a field that must have one value for the class to fit.
  static func implied(_ olmo: String, _ value: YAMLScalar, _ reason: String) -> FieldRow {
    FieldRow([olmo], nil, .implied(value, permits: { $0[olmo] == value }, reason: reason))
  }

  /// A row of a member that must have one value for OLMo to have such a model.
  static func fixed(_ huggingFace: String, _ value: YAMLScalar, _ reason: String) -> FieldRow {
    FieldRow(
      [], huggingFace,
      .fixed(value, permits: { ($0[huggingFace]?.scalar ?? value) == value }, reason: reason))
  }

  /// A row of a field that the class has no use for.
  static func onlyOLMo(_ olmo: String, _ official: YAMLScalar, _ note: String) -> FieldRow {
    FieldRow([olmo], nil, .onlyOLMo(official: official, note: note))
  }

  /// A row of a member that OLMo has no use for.
  static func onlyHuggingFace(
    _ huggingFace: String, _ value: YAMLScalar?, _ note: String
  ) -> FieldRow {
    FieldRow([], huggingFace, .onlyHuggingFace(value, note: note))
  }
}

extension FieldRow {
  /// What Hugging Face's member is for `model`; `nil` if nothing is written.
  func huggingFaceValue(of model: OLMoModelConfig, _ context: TranslationContext) -> YAMLScalar? {
    switch rule {
    case .same: model[olmo[0]]
    case .derived(let derivation): derivation.toHuggingFace(model, context)
    case .fixed(let value, _, _), .onlyHuggingFace(let value, _): value
    case .implied, .onlyOLMo: nil
    }
  }

  /// Makes sure that the class can do what `model` does.
  ///
  /// - Throws: `unsupported` naming the field that it cannot do, and why.
  func requireFit(of model: OLMoModelConfig, to architecture: Architecture) throws(CheckpointError)
  {
    guard case .implied(_, let permits, let reason) = rule, !permits(model) else { return }
    throw CheckpointError(
      .unsupported,
      "'\(olmo[0])' is \(model[olmo[0]]), which \(architecture.rawValue) has no way to express: "
        + reason)
  }

  /// Sets the fields of this row to what `config` says, or to what OLMo's own configurations say
  /// where it says nothing.
  ///
  /// - Throws: `unsupported` for a member that no model of OLMo has, `malformed` for one of the wrong
  ///   kind.
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
          .unsupported, "'\(name)' is \(found), which OLMo has no way to express: \(reason)")
      }
    case .onlyHuggingFace: break
    }
  }

  /// Whether two models are the same as far as this row tells them apart on Hugging Face's side.
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
  /// The model that `config` describes, with OLMo's own choices where it leaves any.
  ///
  /// - Throws: as ``FieldRow/read(_:into:)``, and `malformed` if there can be no such model.
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
    toHuggingFace: { model, _ in .integer(model.keyValueHeadCount) },
    toOLMo: { (config, model) throws(CheckpointError) in
      let count = try config.integer("num_key_value_heads", missing: nil) ?? model.headCount
      model["n_kv_heads"] = count == model.headCount ? .null : .integer(count)
      model["multi_query_attention"] = .null
    })

  static let intermediateSize = Self(
    formula: "mlp_hidden_size / 2; without it d_model * mlp_ratio / 2",
    inverse: "intermediate_size * 2",
    toHuggingFace: { model, _ in .integer(model.feedForwardRowCount / 2) },
    toOLMo: { (config, model) throws(CheckpointError) in
      let size = try config.integer("intermediate_size", missing: 11008) ?? 0
      model["mlp_hidden_size"] = .integer(size * 2)
    })

  static func vocabulary(missing: Int) -> Self {
    Self(
      formula: "embedding_size; without it vocab_size",
      inverse:
        "vocab_size; OLMo's own is what the tokenizer has, of 100352 the first 100278 and of "
        + "50304 the first 50280",
      toHuggingFace: { model, _ in .integer(model.embeddingCount) },
      toOLMo: { (config, model) throws(CheckpointError) in
        let count = try config.integer("vocab_size", missing: missing) ?? 0
        model["embedding_size"] = .integer(count)
        model["vocab_size"] = .integer(unpadded[count] ?? count)
      })
  }

  /// The tokens of OLMo's tokenizers, by the rows of its official models' embeddings.
  private static let unpadded = [100_352: 100_278, 50_304: 50_280]

  static let headSize = Self(
    formula: "d_model / n_heads",
    inverse: "must be hidden_size / num_attention_heads",
    toHuggingFace: { model, _ in .integer(model.headSize) },
    toOLMo: { (config, _) throws(CheckpointError) in
      guard config.hasUniformHeads else {
        throw CheckpointError(
          .unsupported,
          "'head_dim' is \(config["head_dim"]?.scalar?.description ?? "no number"); "
            + "OLMo's heads are hidden_size / num_attention_heads wide")
      }
    })

  static let ropeTheta = Self(
    formula: "the same number",
    inverse: "rope_theta, or rope_parameters.rope_theta; must be whole",
    toHuggingFace: { model, _ in model["rope_theta"] },
    toOLMo: { (config, model) throws(CheckpointError) in
      let theta = try config.ropeTheta()
      guard let whole = Int(exactly: theta), whole <= OLMoField.largestInteger else {
        throw CheckpointError(.unsupported, "'rope_theta' is \(theta); OLMo's is an integer")
      }
      model["rope_theta"] = .integer(whole)
    })

  /// OLMo's first models were trained with 0 for the end of text, which their tokenizer uses for
  /// something else; its conversion script replaces it whenever it sees it.
  static func endOfText(missing: Int) -> Self {
    Self(
      formula: "the same, but \(realEndOfText) for 0 with OLMo's tokenizer of 50280 tokens",
      inverse: "the same; of several the first",
      toHuggingFace: { model, context in
        let isMistaken =
          model["eos_token_id"] == .integer(0) && model.vocabularySize > realEndOfText
          && context.tokenizer?.contains("gpt-neox-20b") != true && !context.keepsEndOfText
        return isMistaken ? .integer(realEndOfText) : model["eos_token_id"]
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
      toHuggingFace: { model, _ in model["pad_token_id"] },
      toOLMo: { (config, model) throws(CheckpointError) in
        let fallback: Int? = if case .integer(let id) = missing { id } else { nil }
        let token = try config.integer("pad_token_id", missing: fallback) ?? -1
        model["pad_token_id"] =
          .integer(token >= 0 ? token : try config.endOfText(missing: missingEnd))
      })
  }
}

/// What some formulas need to know beside the model.
package struct TranslationContext: Sendable {
  /// The name of the tokenizer, if the configuration has one.
  package var tokenizer: String?
  /// Whether an end-of-text token 0 is taken as it stands.
  package var keepsEndOfText = false
}
