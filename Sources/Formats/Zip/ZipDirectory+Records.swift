package import CkptBase
internal import CkptGraph

extension ZipDirectory {
  /// The number of bytes of compressed data to read at once.
  private static let inputByteCount = 64 << 10

  /// Returns the decoded data of a record that is small enough for memory.
  ///
  /// Errors have the name of the entry in their path and offsets from the start of its stored data.
  /// - Throws: `limitExceeded` for more than `limit` bytes; `malformed` if it does not inflate to
  ///   its size; `checksumMismatch`; `truncated` if the file has become shorter.
  package func readRecord(_ entry: ZipEntry, limit: Int) throws(CheckpointError) -> [UInt8] {
    var faults = ZipDiagnostics(tolerated: false)
    return try readRecord(entry, limit: limit, &faults)
  }

  /// Returns the decoded data of a record like ``readRecord(_:limit:)``, but reports contradictions
  /// to `faults`.
  ///
  /// If contradictions are tolerated, the data is as much as can be read up to `limit`, whatever
  /// its declared size.
  /// - Throws: `inputOutput`, and the errors of `faults`.
  package func readRecord(
    _ entry: ZipEntry, limit: Int, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> [UInt8] {
    try CheckpointError.within(entry.name) { () throws(CheckpointError) in
      if entry.byteCount > limit {
        try faults.note(
          CheckpointError(
            .limitExceeded, "the record has \(entry.byteCount) bytes, but the limit is \(limit)"))
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
        "the data has CRC-32 \(hex(found)), but the archive says \(hex(expected))",
        remedy: "the file is damaged; download or copy it again"))
  }

  /// Returns the bytes of `range` unchanged.
  private func stored(
    _ range: Range<Int>, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> [UInt8] {
    let bytes = try source.bytes(in: range)
    if bytes.count != range.count {
      try faults.note(
        CheckpointError(.truncated, "the file ends inside the record", at: bytes.count))
    }
    return bytes
  }

  /// Returns the inflated data of `entry`.
  private func inflated(
    _ entry: ZipEntry, limit: Int, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> [UInt8] {
    let inflater = try Inflater()
    let range = entry.dataRange.clamped(to: 0..<max(source.byteCount, entry.dataOffset))
    var (consumed, finished) = (0, false)
    var fault: CheckpointError?
    var isLimited = false
    let room = faults.areTolerated ? room(for: range, limit: limit) : entry.byteCount
    let bytes = try [UInt8](capacity: room) { output throws(CheckpointError) in
      while !finished, !isLimited, fault == nil {
        let start = range.lowerBound + consumed
        let input = try stored(
          start..<min(range.upperBound, start + Self.inputByteCount), &faults)
        let produced = output.count
        do throws(CheckpointError) {
          let step = try inflater.inflate(input.span, appendingTo: &output)
          if !step.finished, step.consumed == 0, output.count == produced {
            isLimited = output.count == room && room < entry.byteCount
            guard !isLimited else { break }
            throw CheckpointError(
              .malformed,
              input.isEmpty
                ? "the compressed data ends before its last block"
                : "the data inflates to more than its size of \(entry.byteCount) bytes",
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
    if fault == nil, !isLimited, bytes.count != entry.byteCount || consumed != range.count {
      try faults.note(
        CheckpointError(
          .malformed,
          "\(consumed) of \(range.count) bytes inflate to \(bytes.count) bytes, but the declared size is "
            + "\(entry.byteCount)", at: consumed))
    }
    return bytes
  }

  /// Returns the maximum size that `range` can inflate to, up to `limit`.
  private func room(for range: Range<Int>, limit: Int) -> Int {
    let (most, overflow) = range.count.multipliedReportingOverflow(by: Limits.deflateRatio)
    return overflow ? limit : min(limit, most + Limits.deflateRatio)
  }
}

/// Returns a checksum as eight hexadecimal digits.
private func hex(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
