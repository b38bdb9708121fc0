internal import CkptBase

/// Decompression of gzip files (RFC 1952).
enum Gzip {
  /// The number of bytes to read at once.
  private static let windowByteCount = 1 << 20

  /// Flags of the header (section 2.3.1).
  private enum Flag {
    static let checksum: UInt8 = 1 << 1
    static let extra: UInt8 = 1 << 2
    static let name: UInt8 = 1 << 3
    static let comment: UInt8 = 1 << 4
  }

  /// Returns what all members of a file decompress to, up to `limit` bytes, and whether that is all.
  ///
  /// - Throws: `malformed` and `truncated` for what is no gzip, `inputOutput` when the read fails.
  static func inflate(
    _ source: any ByteSource, limit: Int
  ) throws(CheckpointError) -> (bytes: [UInt8], isWhole: Bool) {
    var output: [UInt8] = []
    var offset = 0
    while offset < source.byteCount {
      let head = try source.bytes(in: offset..<offset + windowByteCount)
      // Files may be padded with zeros behind the last member.
      if offset > 0, head.first == 0 { return (output, true) }
      offset += try headerByteCount(head, at: offset)
      guard try inflateMember(source, &offset, into: &output, limit: limit) else {
        return (output, false)
      }
      // The checksum and the size of the data.
      offset += 8
    }
    return (output, true)
  }

  private static func headerByteCount(
    _ head: [UInt8], at offset: Int
  ) throws(CheckpointError) -> Int {
    var reader = ByteReader(head.span, base: offset)
    let mark = try reader.readInteger(as: UInt16.self)
    let method = try reader.readInteger(as: UInt8.self)
    guard mark == 0x8b1f, method == 8 else {
      throw CheckpointError(.malformed, "the gzip data has no header here", at: offset)
    }
    let flags = try reader.readInteger(as: UInt8.self)
    try reader.skip(6)
    if flags & Flag.extra != 0 { try reader.skip(Int(reader.readInteger(as: UInt16.self))) }
    for flag in [Flag.name, Flag.comment] where flags & flag != 0 {
      while try reader.readInteger(as: UInt8.self) != 0 {}
    }
    if flags & Flag.checksum != 0 { try reader.skip(2) }
    return reader.position
  }

  /// Appends what the deflate stream at `offset` decompresses to; returns whether it has ended.
  private static func inflateMember(
    _ source: any ByteSource, _ offset: inout Int, into output: inout [UInt8], limit: Int
  ) throws(CheckpointError) -> Bool {
    let inflater = try Inflater()
    while output.count < limit {
      let input = try source.bytes(in: offset..<offset + windowByteCount)
      var consumed = 0
      var isFinished = false
      while consumed < input.count || input.isEmpty {
        let rest = input.span.extracting(consumed...)
        let room = min(windowByteCount, limit - output.count)
        var step = (consumed: 0, finished: false)
        let piece = try [UInt8](capacity: room) { target throws(CheckpointError) in
          step = try inflater.inflate(rest, appendingTo: &target)
        }
        output += piece
        consumed += step.consumed
        isFinished = step.finished
        guard !isFinished, output.count < limit, step.consumed > 0 || !piece.isEmpty else { break }
      }
      offset += consumed
      if isFinished { return true }
      guard consumed > 0 else {
        throw CheckpointError(.truncated, "the compressed data ends before its last block")
      }
    }
    return false
  }
}
