package import Bytes
internal import Codecs
internal import Graph

extension ZipDirectory {
  /// How much compressed data is read at once, in bytes.
  private static let inputByteCount = 64 << 10

  /// The decoded data of a record that is small enough for memory.
  ///
  /// Errors have the entry's name in their path and offsets from the start of its stored data.
  /// - Throws: `limitExceeded` when it has more than `limit` bytes; `malformed` when it does not
  ///   decompress to the announced size; `checksumMismatch`; `truncated` when the file has shrunk.
  package func readRecord(_ entry: ZipEntry, limit: Int) throws(FormatError) -> [UInt8] {
    try FormatError.within(entry.name) { () throws(FormatError) in
      guard entry.byteCount <= limit else {
        throw FormatError(
          .limitExceeded, "the record has \(entry.byteCount) bytes, the limit is \(limit)")
      }
      let bytes =
        switch entry.encoding {
        case .stored: try stored(entry.dataRange)
        case .deflated: try inflated(entry)
        }
      if layout.hasChecksums { try verify(bytes, entry.crc32) }
      return bytes
    }
  }

  private func verify(_ bytes: [UInt8], _ expected: UInt32) throws(FormatError) {
    let found = CRC32.checksum(bytes.span)
    guard found == expected else {
      throw FormatError(
        .checksumMismatch,
        "the data has CRC-32 \(hex(found)), the archive says \(hex(expected))",
        hint: "the file is damaged; fetch it again")
    }
  }

  /// The bytes of `range` as they are.
  private func stored(_ range: Range<Int>) throws(FormatError) -> [UInt8] {
    let bytes = try file.bytes(in: range)
    guard bytes.count == range.count else {
      throw FormatError(.truncated, "the file became shorter while it was read", at: bytes.count)
    }
    return bytes
  }

  /// The decompressed data of `entry`.
  private func inflated(_ entry: ZipEntry) throws(FormatError) -> [UInt8] {
    let inflater = try Inflater()
    let range = entry.dataRange
    var (consumed, finished) = (0, false)
    let bytes = try [UInt8](capacity: entry.byteCount) { output throws(FormatError) in
      while !finished {
        let start = range.lowerBound + consumed
        let input = try stored(start..<min(range.upperBound, start + Self.inputByteCount))
        let produced = output.count
        let step = try inflater.inflate(input.span, appendingTo: &output)
        guard step.finished || step.consumed > 0 || output.count > produced else {
          throw FormatError(
            .malformed,
            input.isEmpty
              ? "the compressed data ends before its last block"
              : "the data decompresses to more than the \(entry.byteCount) bytes announced",
            at: consumed)
        }
        consumed += step.consumed
        finished = step.finished
      }
    }
    guard bytes.count == entry.byteCount, consumed == range.count else {
      throw FormatError(
        .malformed,
        "\(consumed) of \(range.count) bytes decompress to \(bytes.count), announced are "
          + "\(entry.byteCount)", at: consumed)
    }
    return bytes
  }
}

/// A checksum as eight hexadecimal digits.
private func hex(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
