internal import CkptBase
internal import CkptGraph

extension ZipDirectory {
  /// The number of bytes of the central directory to hold in memory at once.
  private static let windowByteCount = 1 << 20

  /// Returns the entries of the central directory.
  ///
  /// The starts of their data are not known yet.
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
        // If one header cannot be read, the next one cannot be found.
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
  /// Returns the range, limited to its first `count` bytes.
  func limited(to count: Int) -> Range<Int> {
    lowerBound..<Swift.min(upperBound, lowerBound + count)
  }
}

extension ZipEntry {
  /// Reads one header of the central directory.
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
          "'\(name)' with \(size) bytes at byte \(offset) is not before the central directory",
          at: start))
    }
    // The clamping changes only values that were reported.
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

  /// Returns the encoding of the data; data that cannot be decoded counts as stored.
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
            "unpack the archive and repack it without compression, for example with 'zip -0 -r'")
      )
      return .stored
    }
    return encoding
  }

  /// Returns the contradiction of sizes that the data cannot have.
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
          "\(storedByteCount) bytes cannot inflate to the \(byteCount) bytes of '\(name)'",
          at: offset)
      }
    }
    return nil
  }
}

/// A part of a file in memory, so that adjacent records share one read.
struct FileWindow: Sendable {
  private let source: any ByteSource
  private var range: Range<Int>
  private var bytes: [UInt8]

  /// Creates a window with the bytes of `source` from `start` on.
  init(onto source: any ByteSource, holding bytes: [UInt8], from start: Int) {
    self.source = source
    self.bytes = bytes
    range = start..<start + bytes.count
  }

  /// Returns the bytes of `part` if they are in memory.
  func held(_ part: Range<Int>) -> [UInt8]? {
    guard part.lowerBound >= range.lowerBound, part.upperBound <= range.upperBound else {
      return nil
    }
    let start = part.lowerBound - range.lowerBound
    return Array(bytes[start..<start + part.count])
  }

  /// Loads `part` unless it is in memory; then it reads from its start up to `end`.
  ///
  /// - Throws: `truncated` if the file has become too short.
  mutating func hold(
    _ part: Range<Int>, orReadUpTo end: @autoclosure () -> Int
  ) throws(CheckpointError) {
    guard part.lowerBound < range.lowerBound || part.upperBound > range.upperBound else { return }
    bytes = try source.bytes(in: part.lowerBound..<max(part.upperBound, end()))
    range = part.lowerBound..<part.lowerBound + bytes.count
    guard part.upperBound <= range.upperBound else {
      throw CheckpointError(
        .truncated, "the file became shorter during reading", at: part.lowerBound)
    }
  }

  /// Returns a reader of a part in memory, with offsets from the start of the file.
  @_lifetime(borrow self)
  func reader(over part: Range<Int>) -> ByteReader {
    let start = part.lowerBound - range.lowerBound
    return ByteReader(bytes.span.extracting(start..<start + part.count), base: part.lowerBound)
  }
}
