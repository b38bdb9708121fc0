internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// A run of the engine: the state that its threads share, and the work of each thread.
///
/// Methods that copy bytes get two buffers of the calling thread: `input` for bytes that still need
/// a change, `output` for bytes that are ready to write.
final class CopyRun: Sendable {
  /// The tasks and their segments.
  let workPlan: CopySchedule
  /// The destination.
  let destination: any CopyDestination
  /// The memory of each thread.
  let memory: WorkerMemory
  /// The checksums of the output's records.
  let records: ChecksumCombiner
  /// The progress.
  let progress: ProgressMeter
  /// The queue of jobs.
  let queue: TaskQueue
  private let regions: ChecksumCombiner
  private let checked: [RegionRef]

  /// Prepares a run of `workPlan`, which was made with `survey`, unless it is cancelled.
  init(
    _ workPlan: CopySchedule, _ survey: ChecksumSchedule, destination: any CopyDestination,
    memory: WorkerMemory, cancellation: Cancellation?, progress: ProgressMeter
  ) {
    self.workPlan = workPlan
    self.destination = destination
    self.memory = memory
    self.progress = progress
    regions = ChecksumCombiner(pieceCounts: survey.pieceCounts)
    records = ChecksumCombiner(pieceCounts: workPlan.recordPieceCounts)
    queue = TaskQueue(workPlan.work, until: cancellation)
    checked = survey.checked
  }

  /// Does all the work on up to `threadCount` threads.
  ///
  /// - Throws: the error of the first failed job.
  func carryOut(threadCount: Int) throws(CheckpointError) {
    Syscalls.concurrently(queue.jobCount(upTo: threadCount)) { self.work() }
    if let failure = queue.failure { throw failure }
    for field in workPlan.openFields {
      try destination.write(computed(field.segment).span.raw, at: field.outputOffset)
    }
  }

  /// Runs jobs on one thread until there are none.
  private func work() {
    do throws(CheckpointError) {
      var inputBuffer = try PageBuffer(byteCount: memory.inputByteCount)
      var outputBuffer = try PageBuffer(byteCount: memory.outputByteCount)
      var input = inputBuffer.mutableBytes
      var output = outputBuffer.mutableBytes
      while let job = queue.next() {
        do throws(CheckpointError) {
          try perform(job, &input, &output)
        } catch {
          queue.fail(error, rank: job.rank)
        }
      }
    } catch {
      queue.fail(error, rank: .max)
    }
  }

  private func perform(
    _ job: TaskQueue.Job, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(CheckpointError) {
    let place = job.work.outputOffset
    switch job.work.task {
    case .pack(let segments):
      try pack(segments, to: place, &input, &output)
    case .inspect(.stretch(let stretch)):
      try transfer(stretch, chunk: job.part, to: nil, record: nil, &input, &output)
    case .inspect(.deflated(let region)):
      try inflate(region, to: nil, record: nil, &input, &output)
    case .inspect: preconditionFailure("only regions are inspected")
    case .write(let source, let slot):
      let record = slot?.advanced(by: job.part)
      switch source {
      case .assembly(let windows):
        try assemble(windows, window: job.part, to: place, record: record, &input, &output)
      case .bytes(let bytes):
        try write(bytes, chunk: job.part, to: place, record: record)
      case .zeros(let byteCount):
        try writeZeros(byteCount, chunk: job.part, to: place, record: record, &output)
      case .stretch(let stretch):
        try transfer(stretch, chunk: job.part, to: place, record: record, &input, &output)
      case .elements(let elements):
        try pick(elements, box: job.part, to: place, record: record, &input, &output)
      case .deflated(let region):
        try inflate(region, to: place, record: record, &input, &output)
      case .computed(let segment):
        let bytes = computed(segment)
        try destination.write(bytes.span.raw, at: place)
        progress.add(bytes.count)
      }
    }
  }

  /// Adds the checksum of a piece of a source region.
  ///
  /// - Throws: `checksumMismatch` if it was the last piece and the sum is wrong.
  func enter(
    _ checksum: UInt32, byteCount: Int, ofRegionAt slot: ChecksumCombiner.Slot
  ) throws(CheckpointError) {
    guard let sum = regions.enter(checksum, byteCount: byteCount, at: slot) else { return }
    try workPlan.plan.region(checked[Int(slot.entry)]).requireChecksum(sum)
  }

  /// Adds bytes that are a whole piece of a record.
  func enter(_ bytes: RawSpan, inRecordAt slot: ChecksumCombiner.Slot?) {
    guard let slot, !bytes.isEmpty else { return }
    _ = records.enter(CRC32.checksum(bytes), byteCount: bytes.byteCount, at: slot)
  }

  /// Returns the bytes of a computed segment whose records are complete.
  func computed(_ segment: Int) -> [UInt8] {
    guard case .computed(let byteCount, let compute) = workPlan.plan.segments[segment] else {
      preconditionFailure("segment \(segment) is not computed")
    }
    let bytes = compute(RecordChecksums { [records] in records.sum($0) })
    precondition(bytes.count == byteCount, "segment \(segment) does not have its declared length")
    enter(bytes.span.raw, inRecordAt: workPlan.recordSlot(of: segment))
    return bytes
  }
}
