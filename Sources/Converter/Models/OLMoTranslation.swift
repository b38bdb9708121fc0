package import CkptBase
internal import CkptYAML

/// A Hugging Face configuration as OLMo's trainer has it.
package struct OLMoTranslation: Sendable {
  /// `config.yaml`.
  package let config: OLMoConfig
  /// The class that was translated.
  package let architecture: Architecture
  /// What became of every field.
  package let report: FieldReport

  /// Where a field of OLMo's got its value.
  enum Origin: String {
    case carried, template, tokenizer
  }

  /// Translates `config`.
  ///
  /// What it does not decide comes from `template`, else from what travelled in it, else from OLMo's
  /// official configurations. A template or a traveller that contradicts it gives way, with a
  /// warning. `vocabularySize` is the number of tokens that the model's tokenizer knows, where it is
  /// at hand: a `config.json` has the padded one only.
  /// - Throws: `unsupported` for what OLMo's trainer cannot do, naming the member; `malformed` if
  ///   there can be no such model.
  package init(
    _ config: HuggingFaceConfig, template: OLMoConfig? = nil, vocabularySize: Int? = nil
  ) throws(CheckpointError) {
    architecture = try Architecture(of: config)
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

/// Takes fields of several sources together, as far as they describe one model.
struct FieldMerger {
  let table: FieldTable
  /// The model so far.
  private(set) var model: OLMoModelConfig
  /// Where fields come from, if not from the model that this began with.
  private(set) var origins: [String: OLMoTranslation.Origin] = [:]
  private(set) var warnings: [Notice] = []
  /// Where the sections beside the model's come from.
  var sections: OLMoTranslation.Origin?
  var context = TranslationContext()

  init(_ table: FieldTable, _ model: OLMoModelConfig) {
    self.table = table
    self.model = model
  }

  /// Takes over the named fields of `other` wherever they mean what the model so far means, and all
  /// that make no difference to it.
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

  /// Takes over the number of tokens that a tokenizer knows, if the embedding has room for them.
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
    case .template: "'\(field)' is \(theirs) in the template, but config.json means \(ours)"
    case .tokenizer: "'\(field)' is \(theirs) in tokenizer.json, but config.json means \(ours)"
    case .carried:
      Notice(
        "'\(field)' was \(theirs) in OLMo's config.yaml, but config.json has been changed to mean "
          + "\(ours)")
    }
  }
}
