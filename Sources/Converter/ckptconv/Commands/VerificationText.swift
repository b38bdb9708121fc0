internal import Bytes
internal import Converter
internal import Formats

/// What `ckptconv verify` prints.
struct VerificationText {
  private let report: VerificationReport

  init(_ report: VerificationReport) { self.report = report }

  /// Prints what was found and returns what the program's exit status says of it.
  ///
  /// - Throws: `inputOutput` when the standard output takes no more.
  func print(_ shared: SharedOptions, _ console: Console) throws(FormatError) -> ExitCode {
    for finding in report.findings { for warning in finding.warnings { console.warn(warning) } }
    if shared.json {
      try console.printJSON(report.json)
    } else if !shared.quiet {
      for finding in report.findings { try console.print(text(finding, width: console.columns)) }
      try console.print(rest(width: console.columns))
    }
    if let failure = report.failures.first { return ExitCode(failure.error) }
    return report.isSame ? .done : .difference
  }

  private func text(_ finding: Verification.Finding, width: Int?) -> String {
    let files = "\(finding.first) and \(finding.second)".harmless
    guard !finding.isSame else { return "\(files) are the same: \(extent(finding))\n" }
    let count = finding.differenceCount
    let more = count - finding.differences.count
    return "\(files) differ: \(count.counting("difference"))\n"
      + Self.table(finding.differences).text(width: width)
      + (more > 0 ? "and \(more) more\n" : "")
  }

  /// What was compared.
  private func extent(_ finding: Verification.Finding) -> String {
    let size = ByteCount(bytes: finding.byteCount).description
    guard finding.scope != .bytes else { return "\(size), byte by byte" }
    let text =
      "\(finding.tensorCount.counting("tensor")) (\(size)), "
      + finding.valueCount.counting("value")
    return finding.scope == .names ? text + ", by name" : text
  }

  private func rest(width: Int?) -> String {
    var text = ""
    if !report.differences.isEmpty {
      text +=
        "\(report.first) and \(report.second) differ in their files".harmless + "\n"
        + Self.table(report.differences).text(width: width)
    }
    var lines: [String] = []
    for line in report.findings.flatMap(\.notCompared) + report.notCompared
    where !lines.contains(line) {
      lines.append(line)
    }
    return text + lines.map { "not compared: \($0.harmless)\n" }.joined()
  }

  /// Differences as people read them.
  static func table(_ differences: [Difference]) -> Table {
    let rows = differences.map { difference in
      [
        difference.place, difference.kind.rawValue, difference.first ?? "-",
        difference.second ?? "-",
      ]
    }
    return Table([.text("place"), .text("differs in"), .text("A"), .text("B")], rows: rows)
  }
}
