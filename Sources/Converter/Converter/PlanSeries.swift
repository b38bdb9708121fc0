internal import Bytes
internal import Plan

/// Carries out the plans of several files one after the other, and tells one progress of all.
struct PlanSeries {
  private let threads: Int?
  private let workingMemory: Int
  private let progress: @Sendable (_ done: Int, _ total: Int) -> Void
  /// The size of all files in bytes.
  let byteCount: Int
  private var finishedByteCount = 0

  /// A series of `plans`, none of which is carried out yet.
  ///
  /// - Parameters:
  ///   - plans: what ``run(_:into:from:)`` will be called with, in that order.
  ///   - threads: how many threads copy; `nil` for one per processor.
  ///   - workingMemory: the bytes that they use together; `nil` for
  ///     ``CopyEngine/defaultWorkingMemory``.
  ///   - progress: is told the bytes done and to do, from any thread.
  init(
    _ plans: [FilePlan], threads: Int?, workingMemory: Int?,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) {
    self.threads = threads
    self.workingMemory = workingMemory ?? CopyEngine.defaultWorkingMemory
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
    let engine = CopyEngine(threadCount: threads, workingMemory: workingMemory) {
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
