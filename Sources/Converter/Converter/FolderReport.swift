public import Configs

/// What became of a checkpoint that was converted as a whole, its configuration included.
public struct FolderReport: Sendable {
  /// The files written.
  public internal(set) var outputs: [Conversion.Output] = []
  /// What became of every field of the configuration.
  public internal(set) var configuration = FieldReport()
  /// What the user should know about the whole.
  public internal(set) var warnings: [String] = []
  /// What could have been done and was not asked for.
  public internal(set) var notes: [String] = []
  /// The flags with which OLMo's trainer takes up what was written; none for other outputs.
  public internal(set) var trainerFlags: [String] = []
}

extension FolderReport {
  /// What the user should know, about the configuration too.
  public var allWarnings: [String] { warnings + configuration.warnings }

  /// How many fields of the configuration became what; `nil` for none.
  public var configurationSummary: String? {
    let entries = configuration.entries
    guard !entries.isEmpty else { return nil }
    var parts: [String] = []
    for status in [FieldReport.Status.mapped, .derived, .defaulted, .notRepresentable] {
      let count = entries.count { $0.status == status }
      if count > 0 { parts.append("\(count) \(status.rawValue)") }
    }
    let carried = entries.count(where: \.isCarried)
    if carried > 0 { parts.append("\(carried) carried along") }
    return parts.joined(separator: ", ")
  }
}
