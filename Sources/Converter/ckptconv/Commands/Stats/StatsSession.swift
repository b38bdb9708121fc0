internal import CkptBase
internal import CkptBatch
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptStats

/// One call of `ckptconv stats`: takes in checkpoints one by one, and tells about them.
struct StatsSession {
  private let options: StatsOptions
  private let shared: SharedOptions
  private let console: Console
  private var run = RunStatistics()
  /// The first checkpoint, until there is a second one: the tensors of one alone are listed.
  private var alone: CheckpointStatistics?
  private var csv = ""
  private var tensorCount = 0
  private let metrics: RunMetrics?

  /// The most findings of one rule that are told one by one.
  private static let toldFindings = 5

  /// Opens what there is to read beside checkpoints, before hours may go by.
  ///
  /// - Throws: what is wrong with the training log.
  init(
    _ options: StatsOptions, _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) {
    self.options = options
    if let path = options.metrics { metrics = try RunMetrics(path: path) } else { metrics = nil }
    self.shared = shared
    self.console = console
  }

  /// Measures a checkpoint, or reads what was measured before.
  ///
  /// - Throws: what keeps it from being read or told about.
  mutating func take(_ input: StatisticsInput) throws(CheckpointError) {
    let checkpoint: CheckpointStatistics
    switch input {
    case .stored(let path): checkpoint = try CheckpointStatistics(storedAt: path)
    case .checkpoint(let path):
      checkpoint = try CheckpointStatistics(of: path, options.measuring) { [console] done, total in
        console.progress?.update(done: done, total: total, of: path)
      }
      console.progress?.finish()
    }
    for warning in checkpoint.warnings { console.warn(warning) }
    if shared.json { try console.printJSON(checkpoint.json) }
    if options.csv != nil { addLines(of: checkpoint) }
    let isFirst = run.rows.isEmpty
    run.add(checkpoint)
    tensorCount = max(tensorCount, checkpoint.tensors.count)
    if isFirst, !shared.json, options.grouping == nil {
      alone = checkpoint
    } else {
      alone = nil
    }
    if let grouping = options.grouping, !shared.json, !shared.quiet {
      try list(checkpoint, by: grouping, isFirst: isFirst)
    }
  }

  /// Tells about all checkpoints together.
  ///
  /// - Throws: what keeps it from being told.
  func conclude() throws(CheckpointError) -> ExitCode {
    if let path = options.csv { try write(csv, to: path) }
    if let path = options.html { try write(report, to: path) }
    if shared.json {
      try console.printJSON(run.json)
    } else if !shared.quiet, !run.rows.isEmpty {
      try console.print(table + findings + "\(totals)\n")
    }
    let counted = (options.failure ?? .problem).severities
    return counted.contains { run.count($0) > 0 } ? .difference : .done
  }

  private func write(_ text: String, to path: String) throws(CheckpointError) {
    try StagedOutput.write(Array(text.utf8), to: path, options.writing)
    console.note("-> \(path)")
  }

  private var report: String {
    let place = FilePath(run.rows.first?.path ?? "")
    let name = run.rows.count > 1 ? place.directory.name : place.name
    return RunReport(run, metrics: metrics, title: name).html
  }

  // MARK: Tables

  private func list(
    _ checkpoint: CheckpointStatistics, by grouping: StatisticsGrouping, isFirst: Bool
  ) throws(CheckpointError) {
    let step = checkpoint.step.map { ", step \($0)" } ?? ""
    var table =
      grouping == .tensor
      ? StatisticsTable(tensorsOf: checkpoint, part: options.measuring.part ?? .model)
      : StatisticsTable(of: checkpoint, by: grouping)
    let usual = grouping == .tensor ? StatisticsTable.usualTensorColumns : table.keys
    arrange(&table, usual)
    let heading = "\(checkpoint.path)\(step)".harmless
    try console.print("\(isFirst ? "" : "\n")\(heading)\n\n" + text(table) + "\n")
  }

  /// The table of the tensors of one checkpoint, or of several checkpoints.
  private var table: String {
    guard options.grouping == nil else { return "" }
    if let alone {
      var table = StatisticsTable(tensorsOf: alone, part: options.measuring.part ?? .model)
      arrange(&table, StatisticsTable.usualTensorColumns)
      return text(table) + "\n"
    }
    var table = StatisticsTable(of: run)
    arrange(&table, StatisticsTable.usualStepColumns)
    return text(table) + "\n"
  }

  private func arrange(_ table: inout StatisticsTable, _ usual: [String]) {
    table.keep(options.names)
    if let column = options.sort { table.sort(by: column) }
    if let limit = options.limit { table.truncate(to: limit) }
    table.select(options.columns ?? usual)
  }

  private func text(_ table: StatisticsTable) -> String {
    Table(
      table.columns.enumerated().map { number, column in
        column.isNumeric
          ? .number(column.title) : number == 0 ? .name(column.title) : .text(column.title)
      },
      rows: table.rows.map(\.cells)
    ).text(width: console.columns)
  }

  private mutating func addLines(of checkpoint: CheckpointStatistics) {
    let table = StatisticsTable(tensorsOf: checkpoint, part: nil)
    csv += table.csv(
      header: csv.isEmpty, behind: [("step", checkpoint.step.map { String($0) } ?? "")])
  }

  // MARK: Findings

  private var findings: String {
    var lines: [String] = []
    var counts: [String: Int] = [:]
    for finding in run.findings {
      let kind = "\(finding.severity.rawValue) \(finding.rule.rawValue)"
      counts[kind, default: 0] += 1
      guard counts[kind, default: 0] <= Self.toldFindings else { continue }
      lines.append(
        console.paint("\(finding.severity.rawValue):", finding.severity.role)
          + " \(finding.line)".harmless)
      let more = run.findings.count { $0.severity == finding.severity && $0.rule == finding.rule }
      if counts[kind] == Self.toldFindings, more > Self.toldFindings {
        lines.append("  and \(more - Self.toldFindings) more of \(finding.rule.rawValue)")
      }
    }
    return lines.map { "\($0)\n" }.joined()
  }

  private var totals: String {
    let counts = Finding.Severity.allCases.map { run.count($0).pluralized($0.rawValue) }
    return "\(tensorCount.pluralized("tensor")), \(run.rows.count.pluralized("checkpoint")); "
      + counts.joined(separator: ", ")
  }
}
