internal import Bytes
internal import Codecs

/// Bytes that lie one after the other, in memory or in a file or nowhere: chunk by chunk.
extension CopyRun {
  /// Writes a chunk of bytes in memory.
  func write(
    _ bytes: [UInt8], chunk number: Int, to outputOffset: Int, record: ChecksumLedger.Slot?
  ) throws(FormatError) {
    let chunk = memory.chunk(number, of: bytes.count)
    let piece = bytes.span.extracting(chunk).raw
    enter(piece, inRecordAt: record)
    try destination.write(piece, at: outputOffset + chunk.lowerBound)
    progress.add(chunk.count)
  }

  /// Writes a chunk of `byteCount` zeros.
  func writeZeros(
    _ byteCount: Int, chunk number: Int, to outputOffset: Int, record: ChecksumLedger.Slot?,
    _ output: inout MutableRawSpan
  ) throws(FormatError) {
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

  /// Reads a chunk of a stretch, checks it, and writes it if there is somewhere to.
  func transfer(
    _ stretch: Work.Stretch, chunk number: Int, to outputOffset: Int?,
    record: ChecksumLedger.Slot?, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(FormatError) {
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
