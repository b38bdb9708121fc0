internal import CkptBase
internal import CkptGraph

extension ZipDirectory {
  /// How much of the central directory is held in memory at once, in bytes.
  private static let windowByteCount = 1 << 20

  /// The entries that the central directory lists; where their data starts is not known yet.
  ///
  /// - Throws: see ``init(reading:)``.
  static func centralEntries(
    _ end: EndRecords, _ window: FileWindow, in directory: Range<Int>, shiftedBy shift: Int,
    _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> [ZipEntry] {
    var entries: [ZipEntry] = []
    entries.reserveCapacity(end.entryCount)
    var window = window
    var rest = directory
    while entries.count < end.entryCount {
      let part = rest.limited(to: CentralDirectoryHeader.maximumByteCount)
      do throws(CheckpointError) {
        try window.hold(part, orReadUpTo: rest.limited(to: windowByteCount).upperBound)
        var reader = window.reader(over: part)
        entries.append(try ZipEntry(reading: &reader, end, shift, &faults))
        rest = reader.offset..<rest.upperBound
      } catch {
        // Where one line cannot be read, the next cannot be found.
        try faults.note(error)
        return entries
      }
    }
    if !rest.isEmpty {
      try faults.note(
        CheckpointError(
          .malformed,
          "\(rest.count) bytes of the central directory are left after its \(end.entryCount) entries",
          at: rest.lowerBound))
    }
    return entries
  }
}

extension Range<Int> {
  /// The range without what lies more than `count` behind its start.
  func limited(to count: Int) -> Range<Int> {
    lowerBound..<Swift.min(upperBound, lowerBound + count)
  }
}

extension ZipEntry {
  /// Reads one line of the central directory.
  ///
  /// - Throws: see ``ZipDirectory/init(reading:)``.
  fileprivate init(
    reading reader: inout ByteReader, _ end: EndRecords, _ shift: Int,
    _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) {
    let start = reader.offset
    let header = try CentralDirectoryHeader(reading: &reader)
    name = try Self.name(
      try reader.readBytes(count: Int(header.nameLength)), at: start, &faults)
    var fields = Zip64ExtendedInformation(header)
    _ = try ExtraField(reading: &reader, count: Int(header.extraLength), widening: &fields, &faults)
    try reader.skip(Int(header.commentLength))

    flags = header.flags
    encoding = try Self.encoding(header, name: name, at: start, &faults)
    crc32 = header.crc32
    let name = name
    byteCount = try faults.int(fields.uncompressedSize, "the size of '\(name)'")
    let size = try faults.int(fields.compressedSize, "the compressed size of '\(name)'")
    let place = try faults.int(fields.localHeaderOffset, "the offset of '\(name)'")
    let offset =
      try faults.noting { () throws(CheckpointError) in
        try place.adding(shift, orThrow: "the offset of '\(name)'")
      } ?? place
    if fields.startDisk != 0 {
      try faults.note(
        CheckpointError(
          .unsupported, "'\(name)' is on disk \(fields.startDisk) of several", at: start))
    }
    let bound = end.centralDirectory.lowerBound
    if offset >= bound || size >= bound - offset {
      try faults.note(
        CheckpointError(
          .malformed,
          "'\(name)' with \(size) bytes at byte \(offset) does not lie before the central directory",
          at: start))
    }
    // The clamping changes only what has been noted.
    localHeaderOffset = min(offset, end.centralDirectory.upperBound)
    storedByteCount = min(size, end.centralDirectory.upperBound)
    dataOffset = localHeaderOffset
    if let contradiction = sizeContradiction(at: start) { try faults.note(contradiction) }
  }

  private static func name(
    _ bytes: Span<UInt8>, at offset: Int, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> String {
    guard let text = try? UTF8Span(validating: bytes) else {
      try faults.note(CheckpointError(.malformed, "the name of an entry is not UTF-8", at: offset))
      return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }
    let name = String(copying: text)
    if name.isEmpty || bytes.indices.contains(where: { bytes[$0] == 0 }) {
      try faults.note(
        CheckpointError(.malformed, "the name of an entry is empty or contains NUL", at: offset))
    }
    return name
  }

  /// How the data is stored; what cannot be decoded is taken for stored.
  private static func encoding(
    _ header: CentralDirectoryHeader, name: String, at offset: Int, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> FileRegion.Encoding {
    if let obstacle = header.flags.obstacle {
      try faults.note(CheckpointError(.unsupported, "'\(name)' is \(obstacle)", at: offset))
    }
    guard let encoding = header.method.encoding else {
      try faults.note(
        CheckpointError(
          .unsupported, "'\(name)' is compressed with \(header.method)", at: offset,
          remedy:
            "unpack the archive and pack it again without compression, for example 'zip -0 -r'")
      )
      return .stored
    }
    return encoding
  }

  /// What is wrong about sizes that the data cannot have.
  private func sizeContradiction(at offset: Int) -> CheckpointError? {
    guard !isDirectory || byteCount == 0 else {
      return CheckpointError(
        .malformed, "the directory '\(name)' has \(byteCount) bytes of data", at: offset)
    }
    switch encoding {
    case .stored:
      guard byteCount == storedByteCount else {
        return CheckpointError(
          .malformed,
          "'\(name)' is stored with \(storedByteCount) bytes, but should have \(byteCount)",
          at: offset)
      }
    case .deflated:
      guard byteCount / Limits.deflateRatio <= storedByteCount else {
        return CheckpointError(
          .malformed,
          "\(storedByteCount) bytes cannot decompress to the \(byteCount) announced for '\(name)'",
          at: offset)
      }
    }
    return nil
  }
}

/// A stretch of a file held in memory, so that neighboring records share one read.
struct FileWindow: Sendable {
  private let source: any ByteSource
  private var range: Range<Int>
  private var bytes: [UInt8]

  /// A window that holds the bytes of `source` from `start` on.
  init(onto source: any ByteSource, holding bytes: [UInt8], from start: Int) {
    self.source = source
    self.bytes = bytes
    range = start..<start + bytes.count
  }

  /// The bytes of `part`, if they are held.
  func held(_ part: Range<Int>) -> [UInt8]? {
    guard part.lowerBound >= range.lowerBound, part.upperBound <= range.upperBound else {
      return nil
    }
    let start = part.lowerBound - range.lowerBound
    return Array(bytes[start..<start + part.count])
  }

  /// Makes sure that `part` is held; if it is not, reads from its start up to `end`.
  ///
  /// - Throws: `truncated` when the file has shrunk below what is asked for.
  mutating func hold(
    _ part: Range<Int>, orReadUpTo end: @autoclosure () -> Int
  ) throws(CheckpointError) {
    guard part.lowerBound < range.lowerBound || part.upperBound > range.upperBound else { return }
    bytes = try source.bytes(in: part.lowerBound..<max(part.upperBound, end()))
    range = part.lowerBound..<part.lowerBound + bytes.count
    guard part.upperBound <= range.upperBound else {
      throw CheckpointError(
        .truncated, "the file became shorter while it was read", at: part.lowerBound)
    }
  }

  /// A cursor over a part of what is held, with offsets counted from the start of the file.
  @_lifetime(borrow self)
  func reader(over part: Range<Int>) -> ByteReader {
    let start = part.lowerBound - range.lowerBound
    return ByteReader(bytes.span.extracting(start..<start + part.count), base: part.lowerBound)
  }
}
