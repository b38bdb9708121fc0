package import CkptBase
internal import CkptGraph

extension ZipDirectory {
  /// How much compressed data is read at once, in bytes.
  private static let inputByteCount = 64 << 10

  /// The decoded data of a record that is small enough for memory.
  ///
  /// Errors have the entry's name in their path and offsets from the start of its stored data.
  /// - Throws: `limitExceeded` when it has more than `limit` bytes; `malformed` when it does not
  ///   decompress to the announced size; `checksumMismatch`; `truncated` when the file has shrunk.
  package func readRecord(_ entry: ZipEntry, limit: Int) throws(CheckpointError) -> [UInt8] {
    var faults = ZipDiagnostics(tolerated: false)
    return try readRecord(entry, limit: limit, &faults)
  }

  /// The decoded data of a record like ``readRecord(_:limit:)``, but leaves it to `faults` what
  /// becomes of contradictions.
  ///
  /// Where they are tolerated, the data is as much as can be read up to `limit`, whatever is announced.
  /// - Throws: `inputOutput`, and what `faults` throws.
  package func readRecord(
    _ entry: ZipEntry, limit: Int, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> [UInt8] {
    try CheckpointError.within(entry.name) { () throws(CheckpointError) in
      if entry.byteCount > limit {
        try faults.note(
          CheckpointError(
            .limitExceeded, "the record has \(entry.byteCount) bytes, the limit is \(limit)"))
      }
      let bytes =
        switch entry.encoding {
        case .stored: try stored(entry.dataRange.limited(to: limit), &faults)
        case .deflated: try inflated(entry, limit: limit, &faults)
        }
      if layout.hasChecksums, bytes.count == entry.byteCount {
        try verify(bytes, entry.crc32, &faults)
      }
      return bytes
    }
  }

  private func verify(
    _ bytes: [UInt8], _ expected: UInt32, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) {
    let found = CRC32.checksum(bytes.span)
    guard found != expected else { return }
    try faults.note(
      CheckpointError(
        .checksumMismatch,
        "the data has CRC-32 \(hex(found)), the archive says \(hex(expected))",
        remedy: "the file is damaged; fetch it again"))
  }

  /// The bytes of `range` as they are.
  private func stored(
    _ range: Range<Int>, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> [UInt8] {
    let bytes = try source.bytes(in: range)
    if bytes.count != range.count {
      try faults.note(
        CheckpointError(.truncated, "the file ends inside of the record", at: bytes.count))
    }
    return bytes
  }

  /// The decompressed data of `entry`.
  private func inflated(
    _ entry: ZipEntry, limit: Int, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> [UInt8] {
    let inflater = try Inflater()
    let range = entry.dataRange.clamped(to: 0..<max(source.byteCount, entry.dataOffset))
    var (consumed, finished) = (0, false)
    var fault: CheckpointError?
    let room = faults.areTolerated ? room(for: range, limit: limit) : entry.byteCount
    let bytes = try [UInt8](capacity: room) { output throws(CheckpointError) in
      while !finished, fault == nil {
        let start = range.lowerBound + consumed
        let input = try stored(
          start..<min(range.upperBound, start + Self.inputByteCount), &faults)
        let produced = output.count
        do throws(CheckpointError) {
          let step = try inflater.inflate(input.span, appendingTo: &output)
          if !step.finished, step.consumed == 0, output.count == produced {
            throw CheckpointError(
              .malformed,
              input.isEmpty
                ? "the compressed data ends before its last block"
                : "the data decompresses to more than the \(entry.byteCount) bytes announced",
              at: consumed)
          }
          consumed += step.consumed
          finished = step.finished
        } catch {
          fault = error
        }
      }
    }
    if let fault { try faults.note(fault) }
    if fault == nil, bytes.count != entry.byteCount || consumed != range.count {
      try faults.note(
        CheckpointError(
          .malformed,
          "\(consumed) of \(range.count) bytes decompress to \(bytes.count), announced are "
            + "\(entry.byteCount)", at: consumed))
    }
    return bytes
  }

  /// The most that `range` can decompress to, up to `limit`.
  private func room(for range: Range<Int>, limit: Int) -> Int {
    let (most, overflow) = range.count.multipliedReportingOverflow(by: Limits.deflateRatio)
    return overflow ? limit : min(limit, most + Limits.deflateRatio)
  }
}

/// A checksum as eight hexadecimal digits.
private func hex(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
