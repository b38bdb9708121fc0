internal import Batch
internal import Converter

/// What is told at the end of a batch: how many items ended how, and which failed and why.
struct BatchVerdict {
  /// So many failures are listed; the report has all of them.
  private static let listLimit = 50

  private let report: BatchReport
  private let isMerged: Bool

  init(_ report: BatchReport, isMerged: Bool) {
    self.report = report
    self.isMerged = isMerged
  }

  /// Says it on the standard error.
  func tell(_ console: Console) {
    let failed = report.items.filter { $0.outcome == .failed || $0.outcome == .problem }
    if !failed.isEmpty {
      let rows = failed.prefix(Self.listLimit).map { item in
        [item.name, item.reason]
      }
      console.summarise(Table([.text("item"), .text("why")], rows: Array(rows)))
      if failed.count > Self.listLimit {
        console.note("and \(failed.count - Self.listLimit) more; --report FILE has all")
      }
    }
    console.note(counts)
    if report.count(.pending) > 0, !isMerged {
      console.note("the same command with --resume goes on")
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
    return "\(report.items.count.counting("item")): \(parts.joined(separator: ", "))"
  }
}
