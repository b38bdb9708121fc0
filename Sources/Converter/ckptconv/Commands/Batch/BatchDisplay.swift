internal import CkptBase
internal import CkptBatch
internal import CkptCheckpoints
internal import CkptConvert

/// Shows the progress of a batch: one line that changes on a terminal, otherwise a line for each
/// item.
final class BatchDisplay: BatchObserver {
  /// The maximum number of problems to print for one item; the report has all of them.
  private static let problemLimit = 8

  private let console: Console
  private let isJSON: Bool
  private let total: Int

  init(_ console: Console, isJSON: Bool, total: Int) {
    self.console = console
    self.isJSON = isJSON
    self.total = total
  }

  /// Prints the number of items to do and of items done in earlier runs.
  func begin(_ schedule: BatchSchedule) {
    let finished = schedule.entries.count { entry in
      if case .finished = entry.standing { true } else { false }
    }
    if let shard = schedule.shard {
      console.note("shard \(shard): \(schedule.entries.count.pluralized("item"))")
    }
    if finished > 0 {
      console.note("\(finished.pluralized("item")) done in earlier runs, \(total) to do")
    }
    for fault in schedule.faults { console.report(fault.error.framed(by: fault.item.input)) }
  }

  func update(_ progress: BatchProgress) {
    console.progress?.update { elapsed in
      var bar = ProgressBar(
        done: progress.bytesDone, total: progress.byteCount, elapsed: elapsed)
      bar.items = "\(progress.itemsDone)/\(progress.itemCount)"
      bar.running = running(progress.running)
      return bar
    }
  }

  func finished(_ report: ItemReport, _ progress: BatchProgress) {
    for warning in report.warnings { console.warn(warning) }
    tell(report.problems, of: report.input)
    if let failure = report.failure {
      console.report(
        FilePath.rest(of: failure.message, behind: report.input) != nil
          ? failure.message : "\(report.input): \(failure.message)", remedy: failure.remedy)
    } else if console.progress == nil {
      let place = "[\(progress.itemsDone)/\(progress.itemCount)]"
      console.note("\(place) \(report.name): \(what(report))")
    }
    // If the standard output fails, the summary that follows reports the error.
    if isJSON { try? console.printJSON(report.json(\.words)) }
    update(progress)
  }

  private func tell(_ problems: [Notice], of input: String) {
    for problem in problems.prefix(Self.problemLimit) {
      console.report("\(input): \(problem.sentence(\.words))", remedy: nil)
    }
    guard problems.count > Self.problemLimit else { return }
    console.note(
      "and \(problems.count - Self.problemLimit) more of \(input); --report FILE lists all")
  }

  private func what(_ report: ItemReport) -> String {
    let size = ByteCount(
      bytes: report.outputs.isEmpty ? report.readByteCount : report.writtenByteCount)
    var words = ["\(size)"]
    if report.duration >= 1_000_000_000 { words.append(seconds(report.duration)) }
    if report.attempts > 1 { words.append("\(report.attempts) attempts") }
    if report.isVerified { words.append("verified") }
    if report.isSourceDeleted { words.append("input deleted") }
    if !report.problems.isEmpty { words.append(report.problems.count.pluralized("problem")) }
    return words.joined(separator: ", ")
  }

  private func seconds(_ nanoseconds: Int) -> String {
    let tenths = nanoseconds / 100_000_000
    return "\(tenths / 10).\(tenths % 10) s"
  }

  /// The first of the running items, and the number of the others.
  private func running(_ names: [String]) -> String? {
    guard let first = names.first else { return nil }
    return names.count > 1 ? "\(first.harmless) (+\(names.count - 1))" : first.harmless
  }
}

/// The summary at the end of a batch: counts by outcome, and the reason for each failure.
struct BatchSummary {
  /// The maximum number of failures to list; the report has all of them.
  private static let listLimit = 50

  private let report: BatchReport
  private let isMerged: Bool
  /// The time that the run took.
  private let elapsed: Duration

  init(_ report: BatchReport, isMerged: Bool, elapsed: Duration) {
    self.report = report
    self.isMerged = isMerged
    self.elapsed = elapsed
  }

  /// Prints the summary on standard error.
  func tell(_ console: Console) {
    let failed = report.items.filter { $0.outcome == .failed || $0.outcome == .problem }
    if !failed.isEmpty {
      let rows = failed.prefix(Self.listLimit).map { item in
        [item.name, item.reason(\.words)]
      }
      console.summarize(Table([.name("item"), .detail("why")], rows: Array(rows)))
      if failed.count > Self.listLimit {
        console.note("and \(failed.count - Self.listLimit) more; --report FILE lists all")
      }
    }
    console.note(counts)
    if report.count(.pending) > 0, !isMerged {
      let flags = report.count(.failed) > 0 ? "--resume --keep-going" : "--resume"
      console.note("run the same command with \(flags) to continue")
    }
  }

  private var counts: String {
    let names: [(ItemReport.Outcome, String)] = [
      (.done, "done"), (.finished, isMerged ? "done" : "done before"), (.problem, "with problems"),
      (.failed, "failed"), (.pending, "not done"),
    ]
    let parts = names.compactMap { outcome, word in
      let count = report.count(outcome)
      return count > 0 ? "\(count) \(word)" : nil
    }
    return "\(report.items.count.pluralized("item")): \(parts.joined(separator: ", "))\(amount)"
  }
}

extension BatchSummary {
  /// The bytes read, and the time and rate of a run of a second or more.
  private var amount: String {
    guard report.readByteCount > 0 else { return "" }
    let size = "; \(ByteCount(bytes: report.readByteCount)) read"
    let seconds = elapsed / .seconds(1)
    guard seconds >= 1 else { return size }
    let rate = ByteCount(bytes: Int(Double(report.readByteCount) / seconds))
    return "\(size) in \(ShortNumber.text(seconds, digits: 3)) s, \(rate)/s"
  }
}

/// The output of `ckptconv batch --dry-run`.
struct BatchListing {
  private let preview: BatchPreview

  init(_ preview: BatchPreview) { self.preview = preview }

  /// Returns the listing, at most `width` columns wide if given.
  func text(width: Int?) -> String {
    let columns: [Table.Column] =
      preview.writes
      ? [.name("input"), .number("in"), .number("out"), .detail("output")]
      : [.name("input"), .number("in"), .detail("standing")]
    let table = Table(columns, rows: preview.items.map(row))
    return table.text(width: width) + "\n" + totals + "\n"
  }

  private func row(_ item: BatchPreview.Item) -> [String] {
    var cells = [item.input, ByteCount(bytes: item.readByteCount).description]
    if preview.writes {
      cells.append(item.writtenByteCount.map { ByteCount(bytes: $0).description } ?? "")
    }
    let standing =
      item.fault.map { "error: \($0.description)" }
      ?? (item.isFinished ? "already done" : nil)
    return cells + [standing ?? (preview.writes ? item.place : "to do")]
  }

  private var totals: String {
    var parts = [
      "\(preview.openCount) of \(preview.items.count.pluralized("item")) to do",
      "\(ByteCount(bytes: preview.readByteCount)) in",
    ]
    if preview.writes { parts.append("\(ByteCount(bytes: preview.writtenByteCount)) out") }
    if let free = preview.availableByteCount { parts.append("\(ByteCount(bytes: free)) free") }
    if !preview.faults.isEmpty { parts.append("\(preview.faults.count.pluralized("error"))") }
    if !preview.fits { parts.append("not enough space") }
    return parts.joined(separator: ", ")
  }
}
