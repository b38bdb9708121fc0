internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// Consecutive bytes in memory, in a file or zero, chunk by chunk.
extension CopyRun {
  /// Writes a chunk of bytes in memory.
  func write(
    _ bytes: [UInt8], chunk number: Int, to outputOffset: Int, record: ChecksumCombiner.Slot?
  ) throws(CheckpointError) {
    let chunk = memory.chunk(number, of: bytes.count)
    let piece = bytes.span.extracting(chunk).raw
    enter(piece, inRecordAt: record)
    try destination.write(piece, at: outputOffset + chunk.lowerBound)
    progress.add(chunk.count)
  }

  /// Writes a chunk of `byteCount` zeros.
  func writeZeros(
    _ byteCount: Int, chunk number: Int, to outputOffset: Int, record: ChecksumCombiner.Slot?,
    _ output: inout MutableRawSpan
  ) throws(CheckpointError) {
    let chunk = memory.chunk(number, of: byteCount)
    var zeros = output._mutatingExtracting(0..<min(memory.transfer, chunk.count))
    zeros.clear()
    var checksum: UInt32 = 0
    for start in stride(from: chunk.lowerBound, to: chunk.upperBound, by: memory.transfer) {
      let piece = zeros.bytes.extracting(0..<min(memory.transfer, chunk.upperBound - start))
      if record != nil { checksum = CRC32.checksum(piece, continuing: checksum) }
      try destination.write(piece, at: outputOffset + start)
      progress.add(piece.byteCount)
    }
    if let record { _ = records.enter(checksum, byteCount: chunk.count, at: record) }
  }

  /// Reads a chunk of a stretch, checks it, and writes it if needed.
  func transfer(
    _ stretch: CopyTask.Stretch, chunk number: Int, to outputOffset: Int?,
    record: ChecksumCombiner.Slot?, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(CheckpointError) {
    let chunk = memory.chunk(number, of: stretch.range.count)
    var sourceChecksum: UInt32 = 0
    var recordChecksum: UInt32? = record == nil ? nil : 0
    for start in stride(from: chunk.lowerBound, to: chunk.upperBound, by: memory.transfer) {
      let count = min(memory.transfer, chunk.upperBound - start)
      var bytes = output._mutatingExtracting(0..<count)
      try stretch.file.readAll(at: stretch.range.lowerBound + start, into: &bytes)
      if stretch.slot != nil {
        sourceChecksum = CRC32.checksum(bytes.bytes, continuing: sourceChecksum)
      }
      stretch.change?.apply(to: &bytes)
      if let cast = stretch.cast, let outputOffset {
        let place = outputOffset + cast.byteCount(after: start)
        try write(bytes.bytes, cast, to: place, &recordChecksum, by: &input)
        continue
      }
      if let before = recordChecksum {
        recordChecksum = CRC32.checksum(bytes.bytes, continuing: before)
      }
      if let outputOffset {
        try destination.write(bytes.bytes, at: outputOffset + start)
      }
      progress.add(count)
    }
    if let record, let recordChecksum {
      let byteCount = stretch.cast?.byteCount(after: chunk.count) ?? chunk.count
      _ = records.enter(recordChecksum, byteCount: byteCount, at: record)
    }
    guard let slot = stretch.slot?.advanced(by: number) else { return }
    try enter(sourceChecksum, byteCount: chunk.count, ofRegionAt: slot)
  }
}

/// Casts of elements.
extension CopyRun {
  /// Casts and writes packed elements that are a whole piece of a record.
  func write(
    _ elements: RawSpan, _ cast: ElementCast, to outputOffset: Int, record: ChecksumCombiner.Slot?,
    by room: inout MutableRawSpan
  ) throws(CheckpointError) {
    var checksum: UInt32? = record == nil ? nil : 0
    try write(elements, cast, to: outputOffset, &checksum, by: &room)
    guard let record, let checksum else { return }
    _ = records.enter(
      checksum, byteCount: cast.byteCount(after: elements.byteCount), at: record)
  }

  /// Casts and writes packed elements, as many at a time as there is room for.
  ///
  /// `checksum` is updated with the written bytes, if it is given.
  func write(
    _ elements: RawSpan, _ cast: ElementCast, to outputOffset: Int, _ checksum: inout UInt32?,
    by room: inout MutableRawSpan
  ) throws(CheckpointError) {
    let width = cast.source.byteCount
    let step = min(room.byteCount, memory.transfer) / cast.target.byteCount * width
    for start in stride(from: 0, to: elements.byteCount, by: step) {
      let piece = elements.extracting(start..<min(start + step, elements.byteCount))
      var target = room._mutatingExtracting(0..<cast.byteCount(after: piece.byteCount))
      CastKernels.cast(piece, into: &target, cast)
      if let before = checksum {
        checksum = CRC32.checksum(target.bytes, continuing: before)
      }
      try destination.write(target.bytes, at: outputOffset + cast.byteCount(after: start))
      progress.add(target.byteCount)
    }
  }
}
