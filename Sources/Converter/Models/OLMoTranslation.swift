package import CkptBase
internal import CkptYAML

/// The translation of a Hugging Face configuration to OLMo.
package struct OLMoTranslation: Sendable {
  /// `config.yaml`.
  package let config: OLMoConfig
  /// The class of the model.
  package let architecture: Architecture
  /// The outcome of every field.
  package let report: FieldReport

  /// A trainer of OLMo models.
  package enum Trainer: Sendable {
    /// OLMo's own, which `config.yaml` is for.
    case olmo
    /// OLMo-core, which also has models with sliding attention windows.
    case core
  }

  /// The source of a field's value.
  enum Origin: String {
    case carried, template, tokenizer
  }

  /// Translates `config`.
  ///
  /// Other values come from `template`, then from the settings kept in it, then from OLMo's
  /// official configurations. If a template or a kept setting contradicts it, `config` is used,
  /// with a warning. `vocabularySize` is the number of tokens of the tokenizer, if it is known: a
  /// `config.json` has only the padded size.
  /// - Throws: `unsupported`, with the member, for a model that OLMo's trainer cannot compute;
  ///   `malformed` for an impossible model.
  package init(
    _ config: HuggingFaceConfig, template: OLMoConfig? = nil, vocabularySize: Int? = nil,
    for trainer: Trainer = .olmo
  ) throws(CheckpointError) {
    let architecture = try Architecture(of: config)
    guard trainer == .core || architecture != .olmo3 else {
      throw CheckpointError(
        .unsupported,
        "OLMo's trainer has no sliding attention windows, which \(architecture.rawValue) has",
        remedy: "convert it for OLMo-core, which trains such models")
    }
    self.architecture = architecture
    let table = FieldTable.of(architecture)
    var merger = FieldMerger(table, try table.model(of: config))
    if let vocabularySize { merger.merge(vocabularySize: vocabularySize) }
    let carried = try EmbeddedOLMoConfig(in: config)
    if let carried {
      merger.context.tokenizer = OLMoConfig.tokenizer(of: carried.document)
      let fields = try CheckpointError.within(EmbeddedOLMoConfig.member) {
        () throws(CheckpointError) in
        try OLMoModelConfig(reading: carried.fields)
      }
      merger.merge(fields, namedBy: carried.fields, from: .carried)
      merger.sections = .carried
    }
    if let template {
      merger.context.tokenizer = template.tokenizer
      let section = template.document["model"]?.mapping ?? YAMLMapping()
      merger.merge(template.model, namedBy: section, from: .template)
      merger.sections = .template
    }
    let document = template?.document ?? carried?.document ?? YAMLMapping()
    self.config = OLMoConfig(model: merger.model, in: document)
    report = FieldReport(of: config, as: self.config, by: table, merged: merger)
  }
}

/// Merges fields from several sources that describe one model.
struct FieldMerger {
  let table: FieldTable
  /// The merged model.
  private(set) var model: OLMoModelConfig
  /// The sources of fields that differ from the initial model.
  private(set) var origins: [String: OLMoTranslation.Origin] = [:]
  private(set) var warnings: [Notice] = []
  /// The source of the sections other than `model`.
  var sections: OLMoTranslation.Origin?
  var context = TranslationContext()

  init(_ table: FieldTable, _ model: OLMoModelConfig) {
    self.table = table
    self.model = model
  }

  /// Merges the named fields of `other` if they mean the same as those of the model so far, and all
  /// fields that do not change it.
  mutating func merge(
    _ other: OLMoModelConfig, namedBy section: YAMLMapping, from origin: OLMoTranslation.Origin
  ) {
    for row in table.rows {
      let fields = row.olmo.filter { section[$0] != nil }
      guard !fields.isEmpty else { continue }
      var merged = model
      for field in fields { merged[field] = other[field] }
      if row.agrees(merged, model, context), (try? merged.requireConsistent()) != nil {
        model = merged
        for field in fields { origins[field] = origin }
      } else {
        let field = fields.first { merged[$0] != model[$0] } ?? fields[0]
        warnings.append(Self.contradiction(field, other[field], model[field], origin))
      }
    }
  }

  /// Merges the number of tokens of a tokenizer, if the embedding has enough rows.
  mutating func merge(vocabularySize: Int) {
    var merged = model
    merged["vocab_size"] = .integer(vocabularySize)
    if (try? merged.requireConsistent()) != nil {
      model = merged
      origins["vocab_size"] = .tokenizer
    } else {
      warnings.append(
        Self.contradiction("vocab_size", .integer(vocabularySize), model["vocab_size"], .tokenizer))
    }
  }

  private static func contradiction(
    _ field: String, _ theirs: YAMLScalar, _ ours: YAMLScalar, _ origin: OLMoTranslation.Origin
  ) -> Notice {
    switch origin {
    case .template: "'\(field)' is \(theirs) in the template, but \(ours) in config.json"
    case .tokenizer: "'\(field)' is \(theirs) in tokenizer.json, but \(ours) in config.json"
    case .carried:
      Notice(
        "'\(field)' was \(theirs) in OLMo's config.yaml, but config.json was changed to "
          + "\(ours)")
    }
  }
}
