internal import YAML

extension FieldReport {
  /// The report on `config` as it became `translation`.
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
        note: "decides the same"),
    ]
    var known: Set<String> = ["architectures", "model_type", CarriedConfig.member]
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
        entry.note = "what the class takes when it is missing"
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
    case .carried: "as it was in OLMo's config.yaml"
    case .template: "from the template"
    case .tokenizer: "of tokenizer.json"
    }
  }
}

extension FieldRow {
  /// Whether only Hugging Face knows such a member.
  var isOnlyHuggingFace: Bool {
    if case .onlyHuggingFace = rule { true } else { false }
  }

  /// What reports on the way to OLMo say of the row.
  var inverseNote: String? {
    if case .derived(let derivation) = rule { derivation.inverse } else { note }
  }
}
