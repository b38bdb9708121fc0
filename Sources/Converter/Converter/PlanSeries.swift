internal import Bytes
internal import Plan

/// Carries out the plans of several files one after the other, and tells one progress of all.
struct PlanSeries {
  private let budget: CopyBudget
  private let progress: @Sendable (_ done: Int, _ total: Int) -> Void
  /// The size of all files in bytes.
  let byteCount: Int
  private var finishedByteCount = 0

  /// A series of `plans`, none of which is carried out yet.
  ///
  /// - Parameters:
  ///   - plans: what ``run(_:into:from:)`` will be called with, in that order.
  ///   - budget: what it may use of the machine.
  ///   - progress: is told the bytes done and to do, from any thread.
  init(
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
  mutating func run(
    _ plan: FilePlan, into destination: some CopyDestination, from source: String
  ) throws(FormatError) {
    let (before, others) = (finishedByteCount, byteCount - plan.byteCount)
    let engine = CopyEngine(budget) {
      [progress] done, total in
      // Bytes that are only checked count in the engine's total and not in the file's.
      progress(before + done, others + total)
    }
    try FormatError.within(source) { () throws(FormatError) in
      try engine.run(plan, into: destination)
    }
    finishedByteCount += plan.byteCount
  }
}
