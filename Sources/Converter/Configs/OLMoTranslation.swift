public import Bytes
internal import YAML

/// A Hugging Face configuration as OLMo's trainer has it.
public struct OLMoTranslation: Sendable {
  /// `config.yaml`.
  public let config: OLMoConfig
  /// The class that was translated.
  public let architecture: Architecture
  /// What became of every field.
  public let report: FieldReport

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
  public init(
    _ config: HuggingFaceConfig, template: OLMoConfig? = nil, vocabularySize: Int? = nil
  ) throws(FormatError) {
    architecture = try Architecture(of: config)
    let table = FieldTable.of(architecture)
    var merger = FieldMerger(table, try table.model(of: config))
    if let vocabularySize { merger.merge(vocabularySize: vocabularySize) }
    let carried = try CarriedConfig(in: config)
    if let carried {
      merger.context.tokenizer = OLMoConfig.tokenizer(of: carried.document)
      let fields = try FormatError.within(CarriedConfig.member) { () throws(FormatError) in
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
