package import CkptBase
internal import CkptYAML

/// The translation of a configuration of OLMo or Hugging Face to OLMo-core.
///
/// It has what describes the model: the section `model`, the tokenizer and the sequence length.
/// OLMo-core's own converter to Hugging Face reads the first two (`load_config` in
/// `olmo_core/nn/hf/convert_checkpoint.py`).
package struct OLMoCoreTranslation: Sendable {
  /// The text of `config.json`.
  package let text: [UInt8]
  /// The model, in the fields of OLMo's trainer.
  package let model: OLMoModelConfig
  /// The outcome of every field.
  package let report: FieldReport

  /// Translates the `config.yaml` of OLMo's trainer.
  ///
  /// - Throws: `unsupported`, with the field, for a model that OLMo-core cannot compute;
  ///   `malformed` for an impossible model.
  package init(_ config: OLMoConfig) throws(CheckpointError) {
    let translation = try HuggingFaceTranslation(config)
    var report = translation.report
    report.entries.removeAll { $0.olmo == nil }
    for index in report.entries.indices { report.entries[index].huggingFace = nil }
    report.warnings = []
    try self.init(
      config.model, translation.architecture, tokenizer: config.tokenizer, report)
  }

  /// Translates the `config.json` of a Hugging Face model, whose tokenizer has `vocabularySize`
  /// tokens if that is known.
  ///
  /// - Throws: the same errors, with the member.
  package init(
    _ config: HuggingFaceConfig, vocabularySize: Int? = nil
  ) throws(CheckpointError) {
    let translation = try OLMoTranslation(config, vocabularySize: vocabularySize, for: .core)
    var report = translation.report
    report.entries.removeAll { $0.huggingFace == nil }
    try self.init(
      translation.config.model, translation.architecture,
      tokenizer: translation.config.tokenizer, report)
  }

  private init(
    _ model: OLMoModelConfig, _ architecture: Architecture, tokenizer: String?,
    _ report: FieldReport
  ) throws(CheckpointError) {
    guard architecture != .olmo else {
      throw CheckpointError(
        .unsupported,
        "OLMo-core has no counterpart of OLMo 1: its models have RMS norms (layer_norm_type rms)")
    }
    self.model = model
    let document = Self.document(of: model, tokenizer: tokenizer)
    text = try YAMLValue(.mapping(document)).json()
    self.report = Self.report(report, for: model)
  }

  // MARK: Document

  private static func document(of model: OLMoModelConfig, tokenizer: String?) -> YAMLMapping {
    var document = YAMLMapping()
    for field in OLMoCoreField.all {
      guard let value = field.write(model) else { continue }
      document.set(value, at: ["model"] + field.path.split(separator: ".").map(String.init))
    }
    var settings = YAMLMapping()
    for (name, field) in tokenizerFields { settings[name] = YAMLValue(model[field]) }
    if let tokenizer { settings["identifier"] = YAMLValue(.string(tokenizer)) }
    settings["_CLASS_"] = YAMLValue(.string("olmo_core.data.tokenizer.TokenizerConfig"))
    document.set(YAMLValue(.mapping(settings)), at: ["dataset", "tokenizer"])
    document.set(
      YAMLValue(model[lengthField]), at: ["train_module", "max_sequence_length"])
    return document
  }

  private static let lengthField = "max_sequence_length"
  private static let tokenizerFields = [
    ("vocab_size", "vocab_size"), ("eos_token_id", "eos_token_id"),
    ("pad_token_id", "pad_token_id"),
  ]

  // MARK: Report

  /// Puts the places in OLMo-core's configuration into a report, and adds those that have no
  /// counterpart.
  private static func report(_ report: FieldReport, for model: OLMoModelConfig) -> FieldReport {
    var report = report
    var told: Set<String> = []
    report.entries = report.entries.compactMap { entry in
      guard let name = entry.olmo?.dropPrefix("model."),
        let (place, value) = place(ofOLMo: name, model)
      else { return entry }
      var entry = entry
      entry.core = place
      if let value { entry.value = FieldReport.summary(of: value) }
      let isNew = told.insert(place).inserted
      guard entry.huggingFace != nil else { return entry }
      // OLMo has two fields for some members; OLMo-core has one.
      entry.olmo = nil
      return isNew ? entry : nil
    }
    for field in OLMoCoreField.all {
      let place = "model.\(field.path)"
      guard let value = field.write(model), !told.contains(place) else { continue }
      report.entries.append(
        .init(
          core: place, status: field.status == .derived ? .derived : .defaulted,
          value: FieldReport.summary(of: value), note: field.note))
    }
    return report
  }

  private static func place(
    ofOLMo name: String, _ model: OLMoModelConfig
  ) -> (place: String, value: YAMLValue?)? {
    if name == lengthField { return ("train_module.max_sequence_length", nil) }
    if let (field, _) = tokenizerFields.first(where: { $0.1 == name }) {
      return ("dataset.tokenizer.\(field)", nil)
    }
    guard let field = OLMoCoreField.counterpart(ofOLMo: name) else { return nil }
    return ("model.\(field.path)", field.write(model))
  }
}

extension String {
  /// Returns the rest after a prefix; `nil` without it.
  fileprivate func dropPrefix(_ prefix: String) -> String? {
    begins(with: prefix) ? String(dropFirst(prefix.count)) : nil
  }
}

extension YAMLMapping {
  /// Sets a value below nested mappings, which are created if needed.
  fileprivate mutating func set(_ value: YAMLValue, at path: [String]) {
    guard path.count > 1 else {
      self[path[0]] = value
      return
    }
    var inner = self[path[0]]?.mapping ?? YAMLMapping()
    inner.set(value, at: Array(path.dropFirst()))
    self[path[0]] = YAMLValue(.mapping(inner))
  }
}
