public import CkptBase
package import CkptPlan

/// Runs file plans.
///
/// No other code copies tensor data.
///
/// Several threads share the work, each with a fixed amount of memory for files of any size. Every
/// byte is read once and written once, and checksums are verified in the process. The output is the
/// same for any number of threads.
package struct CopyEngine: Sendable {
  /// A function that receives the progress of a run: the bytes done and the total bytes.
  ///
  /// It is called on any thread, never on two at once, about twenty times a second at most. At the
  /// end of a successful run both numbers are equal. Bytes that are only read for a check count
  /// too, so the total can exceed the output size.
  package typealias Progress = @Sendable (_ bytesDone: Int, _ bytesTotal: Int) -> Void

  private let budget: CopyBudget
  private let progress: Progress?

  /// The default working memory of all threads together, in bytes.
  package static var defaultWorkingMemory: Int { WorkerMemory.total }

  /// Creates an engine with `budget`.
  ///
  /// Engines that run at the same time share the memory of a program, so each gets a part of it.
  package init(_ budget: CopyBudget, progress: Progress? = nil) {
    self.budget = budget
    self.progress = progress
  }

  /// Creates an engine with `threadCount` threads, by default one for each processor, that use
  /// `workingMemory` bytes together.
  package init(
    threadCount: Int? = nil, workingMemory: Int = CopyEngine.defaultWorkingMemory,
    progress: Progress? = nil
  ) {
    self.init(CopyBudget(threads: threadCount, workingMemory: workingMemory), progress: progress)
  }

  /// Writes the output of `plan` to `destination`.
  ///
  /// - Throws: `checksumMismatch` for a damaged source, `truncated` or `malformed` for a source
  ///   that does not fit the plan, `inputOutput` if reading or writing fails or a source changes,
  ///   `cancelled` after a ``Cancellation``. The output is then incomplete and must be discarded.
  package func run(_ plan: FilePlan, into destination: some CopyDestination) throws(CheckpointError)
  {
    let survey = try ChecksumSchedule(plan, memory: memory(for: destination))
    let meter = ProgressMeter(total: plan.byteCount + survey.extraByteCount, report: progress)
    try destination.prepare(byteCount: plan.byteCount)
    do throws(CheckpointError) {
      let spool = try Spool(survey.spooled, in: destination.scratchDirectory) {
        (plan, scratch) throws(CheckpointError) in
        try scratch.prepare(byteCount: plan.byteCount)
        let survey = try ChecksumSchedule(plan, memory: memory(for: scratch))
        try carryOut(plan, survey, Spool(), into: scratch, meter)
      }
      try carryOut(plan, survey, spool, into: destination, meter)
    } catch {
      // Apparent damage can be a concurrent write by another program; that is the error to report.
      if error.code.isOfTheInput { try requireUnchanged(survey.sources) }
      throw error
    }
    try requireUnchanged(survey.sources)
    meter.finish()
  }

  private func carryOut(
    _ plan: FilePlan, _ survey: ChecksumSchedule, _ spool: Spool,
    into destination: any CopyDestination, _ meter: ProgressMeter
  ) throws(CheckpointError) {
    let memory = memory(for: destination)
    let workPlan = CopySchedule(
      plan, survey, spool: spool, memory: memory, isSequential: destination.isSequential)
    let run = CopyRun(
      workPlan, survey, destination: destination, memory: memory,
      cancellation: budget.cancellation, progress: meter)
    try run.carryOut(threadCount: threads(for: destination))
  }

  /// An output that is written in order is written by one thread.
  private func threads(for destination: any CopyDestination) -> Int {
    destination.isSequential ? 1 : budget.threadCount
  }

  private func memory(for destination: any CopyDestination) -> WorkerMemory {
    WorkerMemory(
      threadCount: threads(for: destination),
      total: budget.workingMemory ?? CopyEngine.defaultWorkingMemory)
  }

  private func requireUnchanged(_ sources: [any ByteSource]) throws(CheckpointError) {
    for source in sources { try source.requireUnchanged() }
  }
}

/// The resources for copying and comparing, and the cancellation.
public struct CopyBudget: Sendable {
  /// The number of threads; `nil` for one per processor.
  public var threads: Int?
  /// The memory of all threads in bytes; `nil` for 20 MiB.
  public var workingMemory: Int?
  /// The cancellation; `nil` for none.
  public var cancellation: Cancellation?

  /// Creates a budget, by default for a program that does nothing else.
  public init(
    threads: Int? = nil, workingMemory: Int? = nil, cancellation: Cancellation? = nil
  ) {
    self.threads = threads
    self.workingMemory = workingMemory
    self.cancellation = cancellation
  }

  /// The number of threads of an engine with this budget.
  package var threadCount: Int {
    min(max(threads ?? Syscalls.availableProcessors(), 1), WorkerMemory.maximumThreads)
  }

  /// The budget of each thread that works alone.
  package var ofOneThread: CopyBudget {
    part(of: threadCount, threads: 1)
  }

  /// Returns the budget of each of `count` parallel pieces of work that use `threads` threads.
  package func part(of count: Int, threads: Int) -> CopyBudget {
    var part = self
    part.threads = threads
    part.workingMemory = (workingMemory ?? CopyEngine.defaultWorkingMemory) / max(count, 1)
    return part
  }
}

/// Counts bytes for all threads and reports them regularly.
final class ProgressMeter: Sendable {
  /// The minimum time between two reports in nanoseconds; people notice no more.
  private static let interval = 50_000_000

  private struct State {
    var done = 0
    var nextReport = 0
  }

  private let total: Int
  private let report: CopyEngine.Progress?
  private let state = Locked(State())

  /// Creates a meter from zero to `total` bytes.
  init(total: Int, report: CopyEngine.Progress?) {
    self.total = total
    self.report = report
  }

  /// Adds processed bytes.
  func add(_ byteCount: Int) {
    guard let report else { return }
    // The report is made under the lock, so reports never overlap or go back.
    state.withLock { state in
      state.done += byteCount
      let now = Syscalls.monotonicNanoseconds()
      guard now >= state.nextReport, state.done < total else { return }
      state.nextReport = now + ProgressMeter.interval
      report(state.done, total)
    }
  }

  /// Reports the end.
  func finish() {
    report?(total, total)
  }
}
