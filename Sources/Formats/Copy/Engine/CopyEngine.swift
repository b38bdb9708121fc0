public import CkptBase
package import CkptPlan

/// Carries out file plans: the only code that moves tensor data.
///
/// Several threads share the work, each with a fixed amount of memory, whatever the size of the
/// file. Every byte is read once and written once; checksums are verified on the way. The output is
/// the same for any number of threads.
package struct CopyEngine: Sendable {
  /// Tells how far a run has come: the bytes done and the bytes there are in all.
  ///
  /// It is called from any thread, never from two at once, at most some twenty times a second, and
  /// at the end of a run that succeeds with both numbers equal. Bytes that are read only to be
  /// checked count as well, so the total can be above the size of the output.
  package typealias Progress = @Sendable (_ bytesDone: Int, _ bytesTotal: Int) -> Void

  private let budget: CopyBudget
  private let progress: Progress?

  /// The bytes that the threads of an engine use together where nothing else is said.
  package static var defaultWorkingMemory: Int { WorkerMemory.total }

  /// An engine that keeps to `budget`.
  ///
  /// Engines that run at once share a program's memory, and each has a part of it.
  package init(_ budget: CopyBudget, progress: Progress? = nil) {
    self.budget = budget
    self.progress = progress
  }

  /// An engine with `threadCount` threads, by default one for each processor there is, that use
  /// `workingMemory` bytes together.
  package init(
    threadCount: Int? = nil, workingMemory: Int = CopyEngine.defaultWorkingMemory,
    progress: Progress? = nil
  ) {
    self.init(CopyBudget(threads: threadCount, workingMemory: workingMemory), progress: progress)
  }

  /// Writes the output that `plan` describes to `destination`.
  ///
  /// - Throws: `checksumMismatch` when a source is damaged, `truncated` or `malformed` when it is
  ///   not what the plan takes it for, `inputOutput` when reading or writing fails or a source
  ///   changes meanwhile, `cancelled` when the budget's ``Cancellation`` says so. The output is then
  ///   incomplete and must be thrown away.
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
      // What looks like damage may be somebody else's writing; that is the error to report.
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

  /// What is written in order is written by one thread.
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

/// What copying and comparing may use of the machine, and what ends it early.
public struct CopyBudget: Sendable {
  /// How many threads there are; `nil` for one per processor.
  public var threads: Int?
  /// The bytes that the threads use together; `nil` for 20 MiB.
  public var workingMemory: Int?
  /// The request at which work stops; `nil` for work that nobody stops.
  public var cancellation: Cancellation?

  /// A budget from its parts, by default what a program that does nothing else may use.
  public init(
    threads: Int? = nil, workingMemory: Int? = nil, cancellation: Cancellation? = nil
  ) {
    self.threads = threads
    self.workingMemory = workingMemory
    self.cancellation = cancellation
  }

  /// How many threads an engine has with it.
  package var threadCount: Int {
    min(max(threads ?? Syscalls.availableProcessors(), 1), WorkerMemory.maximumThreads)
  }

  /// What each of its threads has if they work on their own.
  package var ofOneThread: CopyBudget {
    part(of: threadCount, threads: 1)
  }

  /// What each of `count` pieces of work at once has if it uses `threads`.
  package func part(of count: Int, threads: Int) -> CopyBudget {
    var part = self
    part.threads = threads
    part.workingMemory = (workingMemory ?? CopyEngine.defaultWorkingMemory) / max(count, 1)
    return part
  }
}

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
