package import Bytes
internal import YAML

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
  func requireFit(of model: OLMoModelConfig, to architecture: Architecture) throws(FormatError) {
    guard case .implied(_, let permits, let reason) = rule, !permits(model) else { return }
    throw FormatError(
      .unsupported,
      "'\(olmo[0])' is \(model[olmo[0]]), which \(architecture.rawValue) has no way to express: "
        + reason)
  }

  /// Sets the fields of this row to what `config` says, or to what OLMo's own configurations say
  /// where it says nothing.
  ///
  /// - Throws: `unsupported` for a member that no model of OLMo has, `malformed` for one of the wrong
  ///   kind.
  func read(_ config: HuggingFaceConfig, into model: inout OLMoModelConfig) throws(FormatError) {
    switch rule {
    case .same(let missing):
      guard let field = OLMoField.named(olmo[0]), let name = huggingFace else { return }
      let value = config[name] ?? YAMLValue(missing)
      model[field.name] = try FormatError.within(name) { () throws(FormatError) in
        try field.value(of: value)
      }
    case .derived(let derivation): try derivation.toOLMo(config, &model)
    case .implied(let value, _, _), .onlyOLMo(let value, _):
      for field in olmo { model[field] = value }
    case .fixed(_, let permits, let reason):
      guard permits(config) else {
        let name = huggingFace ?? ""
        let found = config[name].map { $0.scalar?.description ?? "set" } ?? "changed elsewhere"
        throw FormatError(
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
  package func model(of config: HuggingFaceConfig) throws(FormatError) -> OLMoModelConfig {
    var model = OLMoModelConfig()
    for row in rows { try row.read(config, into: &model) }
    try model.requireConsistent()
    return model
  }
}
