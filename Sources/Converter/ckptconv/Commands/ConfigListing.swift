internal import Configs
internal import Converter

/// What `ckptconv config` prints: a line for each field of the model, and one for everything else.
struct ConfigListing {
  private let entries: [FieldReport.Entry]
  private let isForHuggingFace: Bool

  init(_ translation: ConfigTranslation) {
    entries = translation.report.entries
    isForHuggingFace = translation.target == .huggingFace
  }

  /// The listing, no wider than `width` columns where that is given.
  func text(width: Int?) -> String {
    let rows = entries.filter { !Self.isSection($0) }.map { entry in
      [
        Self.bare(entry.olmo), entry.huggingFace ?? "-", entry.value, entry.status.rawValue,
        note(of: entry),
      ]
    }
    let table = Table(
      [.text("OLMo"), .text("Hugging Face"), .text("value"), .text("how"), .text("")], rows: rows)
    return [table.text(width: width), sections].compactMap(\.self).joined(separator: "\n")
  }

  /// The sections beside the model's.
  private var sections: String? {
    let sections = entries.filter(Self.isSection)
    guard let first = sections.first else { return nil }
    let names = sections.compactMap(\.olmo).map(\.harmless).joined(separator: ", ")
    let fate =
      switch (first.status, first.isCarried) {
      case (.notRepresentable, true): "not about the model, goes along in config.json"
      case (.notRepresentable, false): "not about the model, left out"
      default: first.note ?? ""
      }
    return "\(fate): \(names)\n"
  }

  private static func isSection(_ entry: FieldReport.Entry) -> Bool {
    entry.huggingFace == nil && entry.olmo?.hasPrefix("model.") == false
  }

  private static func bare(_ name: String?) -> String {
    name.map { String($0.dropFirst("model.".count)) } ?? "-"
  }

  private func note(of entry: FieldReport.Entry) -> String {
    // On the way to OLMo the note itself says where the value comes from.
    let goesAlong = entry.isCarried && isForHuggingFace
    return [entry.note, goesAlong ? "OLMo's own goes along in config.json" : nil]
      .compactMap(\.self).joined(separator: "; ")
  }
}
