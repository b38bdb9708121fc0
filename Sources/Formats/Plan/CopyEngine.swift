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

  private let threadCount: Int
  private let workingMemory: Int
  private let progress: Progress?

  /// The bytes that the threads of an engine use together where nothing else is said.
  public static var defaultWorkingMemory: Int { WorkerMemory.total }

  /// The most threads that an engine uses.
  package static let maximumThreads = WorkerMemory.maximumThreads

  /// An engine with `threadCount` threads, by default one for each processor there is.
  ///
  /// Engines that run at once share a program's memory: `workingMemory` is this one's part of it, in
  /// bytes.
  public init(
    threadCount: Int? = nil, workingMemory: Int = CopyEngine.defaultWorkingMemory,
    progress: Progress? = nil
  ) {
    let wanted = threadCount ?? Syscalls.availableProcessors()
    self.threadCount = min(max(wanted, 1), WorkerMemory.maximumThreads)
    self.workingMemory = workingMemory
    self.progress = progress
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
      if error.code != .inputOutput, error.code != .truncated { try requireUnchanged(survey.files) }
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
    destination.isSequential ? 1 : threadCount
  }

  private func memory(for destination: any CopyDestination) -> WorkerMemory {
    WorkerMemory(threadCount: threads(for: destination), total: workingMemory)
  }

  private func requireUnchanged(_ files: [SourceFile]) throws(FormatError) {
    for file in files { try file.requireUnchanged() }
  }
}
