internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats

/// The output of `ckptconv diff`.
struct DiffText {
  private let report: DiffReport
  /// The maximum number of rows of each kind.
  private let limit: Int
  private let keepsNames: Bool

  init(_ report: DiffReport, limit: Int, keepsNames: Bool = false) {
    self.report = report
    self.limit = limit
    self.keepsNames = keepsNames
  }

  /// Returns the text, with tables at most `width` columns wide if given.
  func text(width: Int?) -> String {
    var blocks: [String] = []
    let summary = DiffSummary(report).text(width: width)
    if !summary.isEmpty { blocks.append(summary) }
    for file in report.files {
      blocks.append("\(file.first.harmless) and \(file.second.harmless)\n")
      let rows = DiffRow.rows(of: file)
      if !rows.isEmpty { blocks.append(text(tensorTable(rows), width)) }
      if !file.renamed.isEmpty {
        blocks.append(
          text(
            Table(
              [.name("renamed"), .detail("")],
              rows: file.renamed.prefix(limit).map { [$0.first, "-> \($0.second)"] }), width))
      }
      let listed = file.unpaired + file.others
      if !listed.isEmpty { blocks.append(text(differenceTable(listed), width)) }
      blocks.append(totals(file))
    }
    if !report.differences.isEmpty {
      blocks.append(text(differenceTable(report.differences), width))
      let hidden = report.differences.count - limit
      if hidden > 0 { blocks.append("\(hidden) not listed\n") }
    }
    return blocks.joined(separator: "\n")
  }

  /// Returns the verdict in one line.
  func verdict(_ console: Console) -> String {
    guard report.failures.isEmpty else {
      return console.paint("not compared", .error)
        + ": \(report.failures.count.pluralized("file"))\n"
    }
    if !report.hasDifferences {
      let isWithin = report.files.contains { !$0.isEmpty }
      return console.paint(isWithin ? "equal within tolerance" : "equal", .success) + "\n"
    }
    let tensors = report.files.reduce(0) { total, file in
      total + file.tensors.count { !report.tolerance.covers($0) }
    }
    let others = report.files.reduce(report.differences.count) {
      $0 + $1.renamed.count + $1.unpaired.count + $1.others.count
    }
    var words: [String] = []
    if tensors > 0 { words.append(tensors.pluralized("tensor")) }
    if others > 0 { words.append(others.pluralized("other difference")) }
    return console.paint("different", .error) + ": \(words.joined(separator: ", "))\n"
  }

  private func text(_ table: Table, _ width: Int?) -> String {
    table.text(width: width, fullNames: keepsNames)
  }

  private func tensorTable(_ rows: [DiffRow]) -> Table {
    Table(
      [
        .name("tensor"), .number("change"), .decimal("max abs"), .text("at").optional,
        .decimal("max rel"), .text("at").optional, .number("differ"), .text("dtype").optional,
        .text("shape").optional, .detail(""),
      ],
      rows: rows.prefix(limit).map { item in
        let row = item.row
        let elements = row.elements ?? ElementDifferences()
        return [
          item.name, elements.relativeChange.map(Percentage.text) ?? "", number(elements.absolute),
          place(elements.absolute, row), number(elements.relative), place(elements.relative, row),
          "\(elements.count)",
          row.firstType == row.secondType ? row.firstType : "\(row.firstType) -> \(row.secondType)",
          "\(row.shape)", note(elements, row),
        ]
      })
  }

  private func number(_ maximum: ElementDifferences.Maximum?) -> String {
    maximum.map { ShortNumber.text($0.value) } ?? ""
  }

  private func place(
    _ maximum: ElementDifferences.Maximum?, _ row: DiffFinding.TensorRow
  ) -> String { maximum.map { "\(row.indices(of: $0))" } ?? "" }

  private func note(_ elements: ElementDifferences, _ row: DiffFinding.TensorRow) -> String {
    var notes: [String] = []
    if elements.nanCount > 0 { notes.append("\(elements.nanCount) NaN on one side") }
    if elements.bitCount > 0 { notes.append("\(elements.bitCount) in bits only") }
    if report.tolerance.covers(row) { notes.append("within tolerance") }
    return notes.joined(separator: ", ")
  }

  private func differenceTable(_ differences: [Difference]) -> Table {
    Table(
      [.name("name"), .text("what"), .detail("first"), .detail("second")],
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

  private func totals(_ file: DiffFinding) -> String {
    let lists = [file.tensors.count, file.renamed.count, file.unpaired.count + file.others.count]
    let hidden = lists.reduce(0) { $0 + max(0, $1 - limit) }
    let within = file.tensors.count(where: report.tolerance.covers)
    var words: [String] = []
    if file.tensors.isEmpty {
      let count = file.comparedCount
      words.append(count == 1 ? "1 tensor is equal" : "all \(count) tensors are equal")
    } else {
      words.append("\(file.tensors.count) of \(file.comparedCount.pluralized("tensor")) differ")
    }
    if within > 0 { words.append("\(within) within tolerance") }
    if !file.renamed.isEmpty { words.append("\(file.renamed.count) renamed") }
    if !file.unpaired.isEmpty { words.append("\(file.unpaired.count) on one side only") }
    if !file.others.isEmpty { words.append("\(file.others.count.pluralized("other difference"))") }
    return words.joined(separator: ", ") + (hidden > 0 ? "; \(hidden) not listed" : "") + "\n"
  }
}
