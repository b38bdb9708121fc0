internal import Converter
internal import Formats

/// What is said of a checkpoint that was converted as a whole.
struct FolderAnnouncement {
  let report: FolderReport
  let console: Console

  /// Says it, and prints it as JSON where that is wanted.
  ///
  /// - Throws: `inputOutput` when the standard output takes no more.
  func make(json: Bool) throws(FormatError) {
    console.progress?.finish()
    for output in report.outputs {
      for warning in output.warnings { console.warn("\(output.source): \(warning)") }
    }
    for warning in report.allWarnings { console.warn(warning) }
    for output in report.outputs where output.format != nil { console.note(Self.line(output)) }
    if let others { console.note(others) }
    if let summary = report.configurationSummary {
      console.note("configuration: \(summary); --json lists them")
    }
    for note in report.notes { console.note(note) }
    if !report.trainerFlags.isEmpty {
      console.note("OLMo's trainer: \(report.trainerFlags.joined(separator: " "))")
    }
    if json { try console.printJSON(report.json) }
  }

  private static func line(_ output: Conversion.Output) -> String {
    let size = ByteCount(bytes: output.byteCount)
    return "\(output.source) -> \(output.path): \(size), \(output.tensorCount.counting("tensor"))"
  }

  /// The files beside those of tensors.
  private var others: String? {
    let paths = report.outputs.filter { $0.format == nil }.map(\.path)
    return paths.isEmpty ? nil : "and \(paths.joined(separator: ", "))"
  }
}
