public import Bytes

/// Carries out file plans: the only code that moves tensor data.
///
/// Several threads share the work, each with a fixed amount of memory, whatever the size of the
/// file. Every byte is read once and written once; checksums are verified on the way. The output is
/// the same for any number of threads.
public struct CopyEngine: Sendable {
  /// Tells how far a run has come: the bytes done and the bytes there are in all.
  ///
  /// It is called from any thread, never from two at once, at most some twenty times a second, and
  /// at the end of a run that succeeds with both numbers equal. Bytes that are read only to be
  /// checked count as well, so the total can be above the size of the output.
  public typealias Progress = @Sendable (_ bytesDone: Int, _ bytesTotal: Int) -> Void

  private let budget: CopyBudget
  private let progress: Progress?

  /// The bytes that the threads of an engine use together where nothing else is said.
  public static var defaultWorkingMemory: Int { WorkerMemory.total }

  /// An engine that keeps to `budget`.
  ///
  /// Engines that run at once share a program's memory, and each has a part of it.
  public init(_ budget: CopyBudget, progress: Progress? = nil) {
    self.budget = budget
    self.progress = progress
  }

  /// An engine with `threadCount` threads, by default one for each processor there is, that use
  /// `workingMemory` bytes together.
  public init(
    threadCount: Int? = nil, workingMemory: Int = CopyEngine.defaultWorkingMemory,
    progress: Progress? = nil
  ) {
    self.init(CopyBudget(threads: threadCount, workingMemory: workingMemory), progress: progress)
  }

  /// Writes the output that `plan` describes to `destination`.
  ///
  /// - Throws: `checksumMismatch` when a source is damaged, `truncated` or `malformed` when it is
  ///   not what the plan takes it for, `inputOutput` when reading or writing fails or a source
  ///   changes meanwhile. The output is then incomplete and must be thrown away.
  public func run(_ plan: FilePlan, into destination: some CopyDestination) throws(FormatError) {
    let survey = try RegionSurvey(plan, memory: memory(for: destination))
    let meter = ProgressMeter(total: plan.byteCount + survey.extraByteCount, report: progress)
    try destination.prepare(byteCount: plan.byteCount)
    do throws(FormatError) {
      let spool = try Spool(survey.spooled, in: destination.scratchDirectory) {
        (plan, scratch) throws(FormatError) in
        try scratch.prepare(byteCount: plan.byteCount)
        let survey = try RegionSurvey(plan, memory: memory(for: scratch))
        try carryOut(plan, survey, Spool(), into: scratch, meter)
      }
      try carryOut(plan, survey, spool, into: destination, meter)
    } catch {
      // What looks like damage may be somebody else's writing; that is the error to report.
      if error.code != .inputOutput { try requireUnchanged(survey.files) }
      throw error
    }
    try requireUnchanged(survey.files)
    meter.finish()
  }

  private func carryOut(
    _ plan: FilePlan, _ survey: RegionSurvey, _ spool: Spool,
    into destination: any CopyDestination, _ meter: ProgressMeter
  ) throws(FormatError) {
    let memory = memory(for: destination)
    let workPlan = WorkPlan(
      plan, survey, spool: spool, memory: memory, isSequential: destination.isSequential)
    let run = CopyRun(workPlan, survey, destination: destination, memory: memory, progress: meter)
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

  private func requireUnchanged(_ files: [SourceFile]) throws(FormatError) {
    for file in files { try file.requireUnchanged() }
  }
}
