package import CkptBase
package import CkptCopy
package import CkptPlan

/// Carries out the plans of several files one after the other, and tells one progress of all.
package struct PlanSeries {
  private let budget: CopyBudget
  private let progress: @Sendable (_ done: Int, _ total: Int) -> Void
  /// The size of all files in bytes.
  package let byteCount: Int
  private var finishedByteCount = 0

  /// A series of `plans`, none of which is carried out yet.
  ///
  /// - Parameters:
  ///   - plans: what ``run(_:into:from:)`` will be called with, in that order.
  ///   - budget: what it may use of the machine.
  ///   - progress: is told the bytes done and to do, from any thread.
  package init(
    _ plans: [FilePlan], budget: CopyBudget,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) {
    self.budget = budget
    self.progress = progress
    byteCount = plans.reduce(0) { $0 + $1.byteCount }
  }

  /// Carries out the next plan.
  ///
  /// - Throws: what keeps it from being read or written, with `source` in its path.
  package mutating func run(
    _ plan: FilePlan, into destination: some CopyDestination, from source: String
  ) throws(CheckpointError) {
    let (before, others) = (finishedByteCount, byteCount - plan.byteCount)
    let engine = CopyEngine(budget) {
      [progress] done, total in
      // Bytes that are only checked count in the engine's total and not in the file's.
      progress(before + done, others + total)
    }
    try CheckpointError.within(source) { () throws(CheckpointError) in
      try engine.run(plan, into: destination)
    }
    finishedByteCount += plan.byteCount
  }
}

/// One progress of parts that are done one after the other, each of which counts by its size.
package struct PartProgress: Sendable {
  private let report: @Sendable (_ done: Int, _ total: Int) -> Void
  private var waiting: ArraySlice<Int>
  private var finishedByteCount = 0
  private let byteCount: Int

  /// Parts of these sizes in bytes, none of which is begun.
  package init(
    _ byteCounts: [Int], report: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) {
    self.report = report
    waiting = byteCounts[...]
    byteCount = byteCounts.reduce(0, +)
  }

  /// What the next part is to tell its own progress.
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
