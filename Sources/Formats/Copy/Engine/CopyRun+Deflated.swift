internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// Deflated regions: decoded from start to end, checked, and written if needed.
extension CopyRun {
  /// Decodes all of `region`.
  ///
  /// - Throws: `malformed` if the bytes are not deflate or have another decoded length, `truncated`
  ///   if they end too early, `checksumMismatch`.
  func inflate(
    _ region: FileRegion, to outputOffset: Int?, record: ChecksumCombiner.Slot?,
    _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(CheckpointError) {
    let inflater = try Inflater()
    var unread = region.range
    var pending = 0..<0
    var done = 0
    var checksum: UInt32 = 0
    var isFinished = false
    while !isFinished {
      if pending.isEmpty, !unread.isEmpty {
        pending = 0..<min(unread.count, input.byteCount)
        var bytes = input._mutatingExtracting(pending)
        try region.source.readAll(at: unread.lowerBound, into: &bytes)
        unread = unread.lowerBound + pending.count..<unread.upperBound
      }
      // Room for one byte more than expected is enough to notice that there are too many.
      var room = output._mutatingExtracting(
        0..<min(memory.transfer, region.byteCount - done + 1))
      let step: (consumed: Int, produced: Int, finished: Bool)
      do throws(CheckpointError) {
        step = try inflater.inflate(input.bytes.extracting(pending), into: &room)
      } catch {
        throw region.framed(error)
      }
      pending = pending.lowerBound + step.consumed..<pending.upperBound
      isFinished = step.finished
      guard step.consumed > 0 || step.produced > 0 || isFinished else {
        throw region.fault(.truncated, "the compressed data ends after \(done) decoded bytes")
      }
      guard done + step.produced <= region.byteCount else {
        throw region.fault(
          .malformed, "the data inflates to more than its size of \(region.byteCount) bytes")
      }
      let decoded = room.bytes.extracting(0..<step.produced)
      checksum = CRC32.checksum(decoded, continuing: checksum)
      if let outputOffset, step.produced > 0 {
        try destination.write(decoded, at: outputOffset + done)
      }
      done += step.produced
      progress.add(step.produced)
      // A region can be as long as the whole file, so this job checks whether another one failed.
      if queue.failure != nil { return }
    }
    let excess = pending.count + unread.count
    guard done == region.byteCount, excess == 0 else {
      throw region.fault(
        .malformed,
        "the data inflates to \(done) of \(region.byteCount) bytes, "
          + "with \(excess) compressed bytes left over")
    }
    try region.requireChecksum(checksum)
    if let record, done > 0 { _ = records.enter(checksum, byteCount: done, at: record) }
  }
}

/// Decoded copies of deflated regions in an unnamed temporary file.
struct Spool: Sendable {
  private var file: (any ByteSource)?
  private var offsets: [FileRegion.Identity: Int] = [:]

  /// Creates a spool without regions.
  init() {}

  /// Decodes `regions` into a file in `directory`; `carryOut` runs a plan.
  ///
  /// - Throws: the errors of `carryOut`, and `inputOutput` if the file cannot be created.
  init(
    _ regions: [FileRegion], in directory: String,
    _ carryOut: (FilePlan, any CopyDestination) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard !regions.isEmpty else { return }
    var plan = FilePlan()
    for region in regions {
      offsets[FileRegion.Identity(region)] = plan.byteCount
      plan.append(.copy(region, range: 0..<region.byteCount))
    }
    let scratch = try TemporaryOutput(in: directory)
    try carryOut(plan, scratch)
    file = try scratch.makeSource()
  }

  /// Returns the location of the decoded bytes of `region`; `nil` if it is not in the spool.
  ///
  /// A slice counts as its whole source here, so that adjacent regions are read together.
  func place(of region: FileRegion) -> (file: any ByteSource, offset: Int)? {
    if let file, let offset = offsets[FileRegion.Identity(region)] { return (file, offset) }
    guard region.encoding == .stored else { return nil }
    let (source, offset) = region.source.origin
    return (source, offset + region.range.lowerBound)
  }
}
