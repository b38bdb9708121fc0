public import CkptBase
package import CkptJSON
internal import CkptYAML

/// The outcome of every field of a configuration.
public struct FieldReport: Hashable, Sendable {
  /// The outcome of a field.
  @nonexhaustive
  public enum Status: String, Hashable, Sendable {
    /// The value has another name on the other side.
    case mapped
    /// The value is computed from other values.
    case derived
    /// The value was missing, or the other side does not set it.
    case defaulted
    /// The other side has no such field.
    case notRepresentable = "not representable"
  }

  /// A field, or a pair of fields with the same meaning.
  public struct Entry: Hashable, Sendable {
    /// OLMo's name: `model.` and the name of a field of that section, or the name of another
    /// section.
    public var olmo: String?
    /// OLMo-core's name: the path below the document, such as `model.block.name`.
    public var core: String?
    /// Hugging Face's name.
    public var huggingFace: String?
    /// The outcome.
    public var status: Status
    /// The value that was written, or that was read if nothing is written for it.
    public var value: String
    /// The formula, the reason, or a remark.
    public var note: String?
    /// Whether OLMo's own value is kept beside the translation, or was restored from it.
    public var isCarried = false
  }

  /// The entries, in the order of the tables.
  public var entries: [Entry] = []

  /// Creates an empty report.
  public init() {}

  /// The warnings for the user.
  public var warnings: [Notice] = []
}

extension FieldReport {
  /// The entries of the class, which follows from fields of the configuration.
  static func classEntries(of table: FieldTable, from fields: String) -> [Entry] {
    [
      Entry(
        huggingFace: "architectures", status: .derived, value: table.architecture.rawValue,
        note: "follows from \(fields)"),
      Entry(
        huggingFace: "model_type", status: .derived, value: table.architecture.modelType,
        note: "follows from architectures"),
    ]
  }

  /// Creates the report of `config` and its translation.
  init(
    of config: OLMoConfig, as translation: HuggingFaceConfig, by table: FieldTable,
    carrying carried: EmbeddedOLMoConfig?
  ) {
    let name = table.architecture.rawValue
    entries = Self.classEntries(
      of: table, from: "layer_norm_type, attention_layer_norm, norm_after and block_type")
    let section = config.document["model"]?.mapping ?? YAMLMapping()
    for row in table.rows {
      for (index, field) in row.olmo.enumerated() {
        var entry = Self.entry(
          of: row, field, isFirst: index == 0, config.model, translation, name)
        if section[field] == nil, entry.status == .mapped { entry.status = .defaulted }
        if section[field] == nil { entry.note = Self.join("OLMo's default", entry.note) }
        entry.isCarried = carried?.fields[field] != nil
        entries.append(entry)
      }
      guard row.olmo.isEmpty, let member = row.huggingFace, let value = translation[member]
      else { continue }
      entries.append(
        Entry(
          huggingFace: member, status: row.isDerived ? .derived : .defaulted,
          value: Self.summary(of: value), note: row.note))
    }
    for entry in config.document.entries where entry.key != .string("model") {
      entries.append(
        Entry(
          olmo: entry.key.description, status: .notRepresentable,
          value: Self.summary(of: entry.value), note: "not about the model",
          isCarried: carried != nil))
    }
    warn(about: config.model, translation)
  }

  private static func entry(
    of row: FieldRow, _ field: String, isFirst: Bool, _ model: OLMoModelConfig,
    _ translation: HuggingFaceConfig, _ architecture: String
  ) -> Entry {
    var entry = Entry(
      olmo: "model.\(field)", huggingFace: row.huggingFace, status: .mapped,
      value: model[field].description, note: row.note)
    switch row.rule {
    case .same: break
    case .derived:
      entry.status = .derived
      let written = row.huggingFace.flatMap { translation[$0]?.scalar }
      if isFirst, let written { entry.value = written.description }
      if !isFirst { entry.note = nil }
    case .implied:
      entry.status = .derived
      entry.huggingFace = "architectures"
    case .onlyOLMo, .fixed, .onlyHuggingFace: entry.status = .notRepresentable
    }
    return entry
  }

  private mutating func warn(about model: OLMoModelConfig, _ translation: HuggingFaceConfig) {
    if let token = translation["eos_token_id"]?.scalar, token != model["eos_token_id"] {
      warnings.append(
        Notice(
          "'eos_token_id' 0 is a known mistake of OLMo's first configurations; it was written "
            + "as \(token)", remedy: .action(.keepEndToken)))
    }
    if model["rope_full_precision"] == .bool(false) { warnAboutRotation() }
  }

  mutating func warnAboutRotation() {
    warnings.append(
      Notice(
        "'rope_full_precision' is false, but transformers computes rotary angles in float32; "
          + "results differ in the last digits"))
  }

  /// Returns a value in a few words.
  static func summary(of value: YAMLValue) -> String {
    switch value.content {
    case .scalar(let scalar): scalar.description
    case .sequence(let elements): "\(elements.count) elements"
    case .mapping(let mapping): "\(mapping.entries.count) fields"
    }
  }

  static func join(_ first: String, _ second: String?) -> String {
    second.map { "\(first); \($0)" } ?? first
  }
}

extension FieldRow {
  /// Whether the row has a formula.
  var isDerived: Bool {
    if case .derived = rule { true } else { false }
  }

  /// The note on the row in reports of translations to Hugging Face.
  var note: String? {
    switch rule {
    case .same: nil
    case .derived(let derivation): derivation.formula
    case .implied(_, _, let reason), .fixed(_, _, let reason): reason
    case .onlyOLMo(_, let note), .onlyHuggingFace(_, let note): note
    }
  }
}

extension FieldReport {
  /// Creates the report of `config` and its translation.
  init(
    of config: HuggingFaceConfig, as translation: OLMoConfig, by table: FieldTable,
    merged merger: FieldMerger
  ) {
    let name = table.architecture.rawValue
    entries = [
      Entry(
        huggingFace: "architectures", status: .derived, value: name,
        note: "decides layer_norm_type, attention_layer_norm and norm_after"),
      Entry(
        huggingFace: "model_type", status: .derived, value: table.architecture.modelType,
        note: "same as architectures"),
    ]
    var known: Set<String> = ["architectures", "model_type", EmbeddedOLMoConfig.member]
    for row in table.rows {
      row.huggingFace.map { _ = known.insert($0) }
      for field in row.olmo {
        entries.append(Self.entry(of: row, field, config, translation.model, merger.origins[field]))
      }
      guard row.olmo.isEmpty, let member = row.huggingFace, let value = config[member] else {
        continue
      }
      entries.append(
        Entry(
          huggingFace: member, status: row.isOnlyHuggingFace ? .notRepresentable : .derived,
          value: Self.summary(of: value), note: row.inverseNote))
    }
    for entry in config.members.entries where !known.contains(entry.key.description) {
      entries.append(
        Entry(
          huggingFace: entry.key.description, status: .notRepresentable,
          value: Self.summary(of: entry.value), note: "\(name) does not depend on it"))
    }
    for entry in translation.document.entries where entry.key != .string("model") {
      entries.append(
        Entry(
          olmo: entry.key.description, status: .defaulted, value: Self.summary(of: entry.value),
          note: merger.sections.map(Self.note(on:)), isCarried: merger.sections == .carried))
    }
    warnings = merger.warnings
  }

  private static func entry(
    of row: FieldRow, _ field: String, _ config: HuggingFaceConfig, _ model: OLMoModelConfig,
    _ origin: OLMoTranslation.Origin?
  ) -> Entry {
    var entry = Entry(
      olmo: "model.\(field)", huggingFace: row.huggingFace, status: .mapped,
      value: model[field].description, note: row.inverseNote)
    switch row.rule {
    case .same:
      if row.huggingFace.map({ config[$0] == nil }) == true {
        entry.status = .defaulted
        entry.note = "default of the class"
      }
    case .derived: entry.status = .derived
    case .implied:
      entry.status = .derived
      entry.huggingFace = "architectures"
    case .onlyOLMo, .fixed, .onlyHuggingFace:
      entry.status = .defaulted
      entry.note = "OLMo's official value"
    }
    if let origin {
      entry.isCarried = origin == .carried
      entry.note = note(on: origin)
    }
    return entry
  }
}

extension FieldReport {
  fileprivate static func note(on origin: OLMoTranslation.Origin) -> String {
    switch origin {
    case .carried: "restored from OLMo's config.yaml"
    case .template: "from the template"
    case .tokenizer: "from tokenizer.json"
    }
  }
}

extension FieldRow {
  /// Whether only Hugging Face has the member.
  var isOnlyHuggingFace: Bool {
    if case .onlyHuggingFace = rule { true } else { false }
  }

  /// The note on the row in reports of translations to OLMo.
  var inverseNote: String? {
    if case .derived(let derivation) = rule { derivation.inverse } else { note }
  }
}

extension FieldReport {
  /// Writes the entries as one JSON array; `Documentation/json.md` describes their members.
  package func write(to json: inout JSONWriter) {
    json.beginArray()
    for entry in entries {
      json.beginObject()
      json.member("olmo", entry.olmo)
      json.member("olmo_core", entry.core)
      json.member("hugging_face", entry.huggingFace)
      json.member("status", entry.status.rawValue)
      json.member("value", entry.value)
      json.member("note", entry.note)
      json.member("carried", entry.isCarried)
      json.endObject()
    }
    json.endArray()
  }
}
