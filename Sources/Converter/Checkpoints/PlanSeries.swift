package import CkptBase
package import CkptCopy
package import CkptPlan

/// Runs the plans of several files in sequence, with a common progress.
package struct PlanSeries {
  private let budget: CopyBudget
  private let progress: @Sendable (_ done: Int, _ total: Int) -> Void
  /// The size of all files in bytes.
  package let byteCount: Int
  private var finishedByteCount = 0

  /// Creates a series of `plans`.
  ///
  /// - Parameters:
  ///   - plans: the plans in the order in which ``run(_:into:from:)`` gets them.
  ///   - budget: the threads and memory that the series may use.
  ///   - progress: receives the bytes done and to do, on any thread.
  package init(
    _ plans: [FilePlan], budget: CopyBudget,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) {
    self.budget = budget
    self.progress = progress
    byteCount = plans.reduce(0) { $0 + $1.byteCount }
  }

  /// Runs the next plan.
  ///
  /// - Throws: an error with `source` in its path if a plan cannot be read or written.
  package mutating func run(
    _ plan: FilePlan, into destination: some CopyDestination, from source: String
  ) throws(CheckpointError) {
    let (before, others) = (finishedByteCount, byteCount - plan.byteCount)
    let engine = CopyEngine(budget) {
      [progress] done, total in
      // The engine's total also counts bytes that are only checked; the file size does not.
      progress(before + done, others + total)
    }
    try CheckpointError.within(source) { () throws(CheckpointError) in
      try engine.run(plan, into: destination)
    }
    finishedByteCount += plan.byteCount
  }
}

/// A common progress of parts that run in sequence, weighted by size.
package struct PartProgress: Sendable {
  private let report: @Sendable (_ done: Int, _ total: Int) -> Void
  private var waiting: ArraySlice<Int>
  private var finishedByteCount = 0
  private let byteCount: Int

  /// Creates a progress for parts of these sizes in bytes.
  package init(
    _ byteCounts: [Int], report: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) {
    self.report = report
    waiting = byteCounts[...]
    byteCount = byteCounts.reduce(0, +)
  }

  /// Returns the progress function of the next part.
  package mutating func next() -> @Sendable (_ done: Int, _ total: Int) -> Void {
    let (before, size) = (finishedByteCount, waiting.popFirst() ?? 0)
    finishedByteCount += size
    return { [report, byteCount] done, total in
      guard total > 0 else { return }
      let part = Int(Double(size) * min(1, Double(done) / Double(total)))
      report(before + part, byteCount)
    }
  }
}
