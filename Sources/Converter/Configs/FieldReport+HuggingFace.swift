internal import YAML

extension FieldReport {
  /// The report on `config` as it became `translation`.
  init(
    of config: OLMoConfig, as translation: HuggingFaceConfig, by table: FieldTable,
    carrying carried: CarriedConfig?
  ) {
    let name = table.architecture.rawValue
    entries = [
      Entry(
        huggingFace: "architectures", status: .derived, value: name,
        note: "follows from layer_norm_type, attention_layer_norm, norm_after and block_type"),
      Entry(
        huggingFace: "model_type", status: .derived, value: table.architecture.modelType,
        note: "follows from architectures"),
    ]
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
      guard row.olmo.isEmpty, let member = row.huggingFace, let value = translation[member]?.scalar
      else { continue }
      entries.append(
        Entry(
          huggingFace: member, status: row.isDerived ? .derived : .defaulted,
          value: value.description, note: row.note))
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
        "'eos_token_id' 0 is taken for a known mistake of OLMo's first configurations and written "
          + "as \(token); --keep-eos keeps it")
    }
    if model["rope_full_precision"] == .bool(false) {
      warnings.append(
        "'rope_full_precision' is false, but transformers computes rotary angles in float32: "
          + "results differ in the last digits")
    }
  }

  /// A value in a few words.
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
  /// Whether a formula stands behind the row.
  var isDerived: Bool {
    if case .derived = rule { true } else { false }
  }

  /// What reports on the way to Hugging Face say of the row.
  var note: String? {
    switch rule {
    case .same: nil
    case .derived(let derivation): derivation.formula
    case .implied(_, _, let reason), .fixed(_, _, let reason): reason
    case .onlyOLMo(_, let note), .onlyHuggingFace(_, let note): note
    }
  }
}
