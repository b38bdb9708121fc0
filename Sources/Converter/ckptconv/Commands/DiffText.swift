internal import Converter
internal import Formats

/// What `ckptconv diff` prints.
struct DiffText {
  private let report: DiffReport
  /// How many rows of each kind are listed.
  private let limit: Int

  init(_ report: DiffReport, limit: Int) {
    self.report = report
    self.limit = limit
  }

  /// The text, whose tables are no wider than `width` columns where that is given.
  func text(width: Int?) -> String {
    var blocks: [String] = []
    for file in report.files {
      blocks.append("\(file.first.harmless) and \(file.second.harmless)\n")
      if !file.tensors.isEmpty { blocks.append(tensorTable(file).text(width: width)) }
      if !file.renamed.isEmpty {
        blocks.append(
          Table(
            [.text("renamed"), .text("")],
            rows: file.renamed.prefix(limit).map { [$0.first, "-> \($0.second)"] }
          ).text(width: width))
      }
      let listed = file.unpaired + file.others
      if !listed.isEmpty { blocks.append(differenceTable(listed).text(width: width)) }
      blocks.append(totals(file))
    }
    if !report.differences.isEmpty {
      blocks.append(differenceTable(report.differences).text(width: width))
      let hidden = report.differences.count - limit
      if hidden > 0 { blocks.append("\(hidden) not listed\n") }
    }
    return blocks.joined(separator: "\n")
  }

  private func tensorTable(_ file: CheckpointDiff) -> Table {
    Table(
      [
        .text("tensor"), .text("dtype"), .text("shape"), .number("differ"), .number("max abs"),
        .text("at"), .number("max rel"), .text("at"), .text(""),
      ],
      rows: file.tensors.prefix(limit).map { row in
        let elements = row.elements ?? ElementDifferences()
        return [
          row.name,
          row.firstType == row.secondType ? row.firstType : "\(row.firstType) -> \(row.secondType)",
          "\(row.shape)", "\(elements.count)",
          number(elements.absolute), place(elements.absolute, row),
          number(elements.relative), place(elements.relative, row), note(elements, row),
        ]
      })
  }

  private func number(_ maximum: ElementDifferences.Maximum?) -> String {
    maximum.map { ShortNumber.text($0.value) } ?? ""
  }

  private func place(
    _ maximum: ElementDifferences.Maximum?, _ row: CheckpointDiff.TensorRow
  ) -> String { maximum.map { "\(row.indices(of: $0))" } ?? "" }

  private func note(_ elements: ElementDifferences, _ row: CheckpointDiff.TensorRow) -> String {
    var notes: [String] = []
    if elements.nanCount > 0 { notes.append("\(elements.nanCount) NaN on one side") }
    if elements.bitCount > 0 { notes.append("\(elements.bitCount) in bits only") }
    if report.tolerance.covers(row) { notes.append("within tolerance") }
    return notes.joined(separator: ", ")
  }

  private func differenceTable(_ differences: [Difference]) -> Table {
    Table(
      [.text("name"), .text("what"), .text("first"), .text("second")],
      rows: differences.prefix(limit).map { difference in
        let what =
          switch difference.kind {
          case .missing: "only in first"
          case .extra: "only in second"
          default: difference.kind.rawValue
          }
        return [difference.place, what, difference.first ?? "", difference.second ?? ""]
      })
  }

  private func totals(_ file: CheckpointDiff) -> String {
    let lists = [file.tensors.count, file.renamed.count, file.unpaired.count + file.others.count]
    let hidden = lists.reduce(0) { $0 + max(0, $1 - limit) }
    let within = file.tensors.count(where: report.tolerance.covers)
    var words = ["\(file.tensors.count.counting("tensor")) of \(file.comparedCount) differ"]
    if within > 0 { words.append("\(within) within tolerance") }
    if !file.renamed.isEmpty { words.append("\(file.renamed.count) renamed") }
    if !file.unpaired.isEmpty { words.append("\(file.unpaired.count) on one side only") }
    if !file.others.isEmpty { words.append("\(file.others.count.counting("other difference"))") }
    return words.joined(separator: ", ") + (hidden > 0 ? "; \(hidden) not listed" : "") + "\n"
  }
}

/// Numbers with four significant digits.
enum ShortNumber {
  static func text(_ value: Double) -> String {
    guard value.isFinite, value > 0 else { return value == 0 ? "0" : "inf" }
    var (mantissa, exponent) = (value, 0)
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    var digits = Int(mantissa * 1000 + 0.5)
    if digits == 10_000 { (digits, exponent) = (1000, exponent + 1) }
    var text = String(digits)
    if exponent >= 0, exponent < 15 {
      // All of the digits before the point.
      guard exponent < 3 else {
        return String(Int(value + 0.5))
      }
      text.insert(".", at: text.index(text.startIndex, offsetBy: exponent + 1))
      return trimmed(text)
    }
    if exponent < 0, exponent >= -4 {
      return trimmed("0." + String(repeating: "0", count: -exponent - 1) + text)
    }
    text.insert(".", at: text.index(after: text.startIndex))
    return "\(trimmed(text))e\(exponent)"
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}
