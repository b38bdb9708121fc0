internal import Bytes

/// Counts bytes for every thread and tells the caller about it now and then.
final class ProgressMeter: Sendable {
  /// The shortest time between two reports, in nanoseconds: people see no more than that.
  private static let interval = 50_000_000

  private struct State {
    var done = 0
    var nextReport = 0
  }

  private let total: Int
  private let report: CopyEngine.Progress?
  private let state = Locked(State())

  /// A meter that goes from zero to `total` bytes.
  init(total: Int, report: CopyEngine.Progress?) {
    self.total = total
    self.report = report
  }

  /// Adds bytes that have been dealt with.
  func add(_ byteCount: Int) {
    guard let report else { return }
    // The report is made under the lock, so that reports never overlap or go back.
    state.withLock { state in
      state.done += byteCount
      let now = Syscalls.monotonicNanoseconds()
      guard now >= state.nextReport, state.done < total else { return }
      state.nextReport = now + ProgressMeter.interval
      report(state.done, total)
    }
  }

  /// Reports that everything is done.
  func finish() {
    report?(total, total)
  }
}
