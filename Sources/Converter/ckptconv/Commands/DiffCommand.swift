internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert
internal import CkptCopy
internal import CkptFormats

/// `ckptconv diff`.
struct DiffCommand: Command {
  static let name = "diff"
  static let summary = "show how two checkpoints differ, and by how much"
  static let manual = """
    Compares checkpoint A with checkpoint B by tensor names. It lists tensors that only one side
    has, that were renamed, or that have another type or shape. For each tensor it prints the number
    of different elements and the largest absolute and relative differences with their positions.
    Values that are not tensors follow. A and B can be files, indices of sharded checkpoints, or
    directories, in any format. The tensors with the largest differences come first.

    Elements are compared as double-precision numbers, even if their types differ. The relative
    difference is |a-b| / max(|a|,|b|). NaN equals NaN; a NaN on one side is counted, but has no
    size. An infinity differs from everything but itself by infinity. Elements with different bits
    and equal values (the sign of zero, the payload of NaN) are counted separately.

    A tensor is reported as renamed only if no other unpaired tensor has the same elements.
    `ckptconv verify` compares everything bit for bit, including nesting, order and sharing.

    The exit code is 0 if nothing differs and 1 if something does. With `--tolerance` or
    `--relative-tolerance`, a tensor within one of the limits does not count as different, whatever
    its type.
    """
  static let examples = [
    Example(
      line: "ckptconv diff step1000/model.pt step2000/model.pt",
      purpose: "See how training changed the weights:"),
    Example(
      line: "ckptconv diff --relative-tolerance 0.004 model-fp32.pt model-bf16.safetensors",
      purpose: "Check that two files differ only by rounding:"),
  ]
  static let operands = Operands(usage: "A B", minimum: 2, maximum: 2, arePaths: true)
  static let flags: [BoundFlag<DiffCommand>] = [
    .number(
      "limit", "N", \.limit, atLeast: 1, in: .listing, "list at most N rows of each kind",
      manual: "The maximum number of tensors, names and values to list. The default is all."),
    .decimal(
      "tolerance", "X", \.tolerance.absolute, in: .content, "ignore absolute differences up to X",
      manual: "A tensor with absolute differences of at most X does not count as different."),
    .decimal(
      "relative-tolerance", "X", \.tolerance.relative, in: .content,
      "ignore relative differences up to X",
      manual: "A tensor with relative differences of at most X does not count as different."),
    .fullNames(\.keepsNames),
    .dropUnsafe(\.reading.dropsUnsafe),
  ]

  private var limit: Int?
  private var tolerance = DiffReport.Tolerance()
  private var reading = ReadingOptions()
  private var keepsNames = false

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    let report = try DiffReport(
      of: operands[0], and: operands[1], tolerance: tolerance, reading, budget: shared.budget
    ) { console.progress?.update(done: $0, total: $1) }
    console.progress?.finish()
    for failure in report.failures { console.report(failure.error) }
    for file in report.files { for warning in file.warnings { console.warn(warning) } }
    if shared.json {
      try console.printJSON(report.json(\.words))
    } else if !shared.quiet {
      try console.print(DiffText(report, limit: limit ?? .max).text(width: console.columns))
    }
    return ExitCode(
      found: report.hasDifferences, failures: report.failures.map(\.error))
  }
}

/// The output of `ckptconv diff`.
struct DiffText {
  private let report: DiffReport
  /// The maximum number of rows of each kind.
  private let limit: Int

  init(_ report: DiffReport, limit: Int) {
    self.report = report
    self.limit = limit
  }

  /// Returns the text, with tables at most `width` columns wide if given.
  func text(width: Int?) -> String {
    var blocks: [String] = []
    for file in report.files {
      blocks.append("\(file.first.harmless) and \(file.second.harmless)\n")
      if !file.tensors.isEmpty { blocks.append(tensorTable(file).text(width: width)) }
      if !file.renamed.isEmpty {
        blocks.append(
          Table(
            [.name("renamed"), .detail("")],
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

  private func tensorTable(_ file: DiffFinding) -> Table {
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
      words.append("all \(file.comparedCount.pluralized("tensor")) are equal")
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
