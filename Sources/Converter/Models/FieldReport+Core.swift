internal import CkptBase
internal import CkptYAML

extension FieldReport {
  /// Creates the report of `config` and its translation to Hugging Face.
  init(of config: OLMoCoreConfig, as translation: HuggingFaceConfig, by table: FieldTable) {
    self.init()
    entries = Self.classEntries(of: table, from: "block.name, qk_norm and sliding_window")
    for leaf in config.leaves where !leaf.path.hasSuffix("_CLASS_") {
      let field = OLMoCoreField.at(leaf.path)
      let member = field?.olmo.flatMap(table.member(ofOLMo:))
      entries.append(
        Entry(
          core: "model.\(leaf.writtenPath)", huggingFace: member,
          status: field?.status ?? .notRepresentable, value: Self.summary(of: leaf.value),
          note: field?.note ?? "not set"))
    }
    let written = Set(entries.compactMap(\.huggingFace))
    for row in table.rows {
      guard let member = row.huggingFace, !written.contains(member),
        let value = translation[member]
      else { continue }
      entries.append(
        Entry(
          core: Self.corePlaces[member], huggingFace: member,
          status: Self.corePlaces[member] == nil ? .defaulted : .mapped,
          value: Self.summary(of: value)))
    }
    for entry in config.document.entries where entry.key != .string("model") {
      entries.append(
        Entry(
          core: entry.key.description, status: .notRepresentable,
          value: Self.summary(of: entry.value), note: "not about the model"))
    }
    if !config.knowsTokenizer {
      warnings.append(
        "the configuration has no 'dataset.tokenizer', so the embedding keeps all rows")
    }
    if config.model["rope_full_precision"] == .bool(false) { warnAboutRotation() }
  }

  /// The settings outside of the `model` section that members follow from.
  private static let corePlaces = [
    "eos_token_id": "dataset.tokenizer.eos_token_id",
    "pad_token_id": "dataset.tokenizer.pad_token_id",
    "bos_token_id": "dataset.tokenizer.bos_token_id",
    "max_position_embeddings": "train_module.max_sequence_length",
  ]
}

extension FieldTable {
  /// Returns the member that one of OLMo's fields decides.
  func member(ofOLMo field: String) -> String? {
    rows.first { $0.olmo.contains(field) }?.huggingFace
  }
}
