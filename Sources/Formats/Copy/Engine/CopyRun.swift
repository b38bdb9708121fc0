internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// One run of the engine: all that its threads share, and what each of them does.
///
/// The methods that move bytes are handed the calling thread's two buffers: `input` takes bytes
/// that are not yet as the output wants them, `output` takes bytes on their way to the output.
final class CopyRun: Sendable {
  /// The work and the segments it is made from.
  let workPlan: CopySchedule
  /// Where the bytes go.
  let destination: any CopyDestination
  /// What each thread may use.
  let memory: WorkerMemory
  /// The checksums of the output's records.
  let records: ChecksumCombiner
  /// The count of bytes done.
  let progress: ProgressMeter
  /// The jobs.
  let queue: TaskQueue
  private let regions: ChecksumCombiner
  private let checked: [RegionRef]

  /// Prepares to carry out `workPlan`, which was made with `survey`, unless it is cancelled.
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
  /// - Throws: the error of the first job that has one.
  func carryOut(threadCount: Int) throws(CheckpointError) {
    Syscalls.concurrently(queue.jobCount(upTo: threadCount)) { self.work() }
    if let failure = queue.failure { throw failure }
    for field in workPlan.openFields {
      try destination.write(computed(field.segment).span.raw, at: field.outputOffset)
    }
  }

  /// One thread: takes jobs until there are none.
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

  /// Enters the checksum of a piece of a source region.
  ///
  /// - Throws: `checksumMismatch` when it was the last piece and the sum is not what it should be.
  func enter(
    _ checksum: UInt32, byteCount: Int, ofRegionAt slot: ChecksumCombiner.Slot
  ) throws(CheckpointError) {
    guard let sum = regions.enter(checksum, byteCount: byteCount, at: slot) else { return }
    try workPlan.plan.region(checked[Int(slot.entry)]).requireChecksum(sum)
  }

  /// Enters bytes that are a whole piece of a record, if they are in one.
  func enter(_ bytes: RawSpan, inRecordAt slot: ChecksumCombiner.Slot?) {
    guard let slot, !bytes.isEmpty else { return }
    _ = records.enter(CRC32.checksum(bytes), byteCount: bytes.byteCount, at: slot)
  }

  /// The bytes of a computed segment, all of whose records are complete.
  func computed(_ segment: Int) -> [UInt8] {
    guard case .computed(let byteCount, let compute) = workPlan.plan.segments[segment] else {
      preconditionFailure("segment \(segment) is not computed")
    }
    let bytes = compute(RecordChecksums { [records] in records.sum($0) })
    precondition(bytes.count == byteCount, "segment \(segment) has not the length it announced")
    enter(bytes.span.raw, inRecordAt: workPlan.recordSlot(of: segment))
    return bytes
  }
}
