internal import Bytes
internal import Graph

extension ZipDirectory {
  /// How much of the central directory is held in memory at once, in bytes.
  private static let windowByteCount = 1 << 20

  /// The entries that the central directory lists; where their data starts is not known yet.
  ///
  /// - Throws: see ``init(reading:)``.
  static func centralEntries(
    of file: SourceFile, _ end: EndRecords
  ) throws(FormatError) -> [ZipEntry] {
    var entries: [ZipEntry] = []
    entries.reserveCapacity(end.entryCount)
    var window = FileWindow(onto: file)
    var rest = end.centralDirectory
    for _ in 0..<end.entryCount {
      let part = rest.limited(to: CentralDirectoryHeader.maximumByteCount)
      try window.hold(part, orReadUpTo: rest.limited(to: windowByteCount).upperBound)
      var reader = window.reader(over: part)
      entries.append(try ZipEntry(reading: &reader, end))
      rest = reader.offset..<rest.upperBound
    }
    guard rest.isEmpty else {
      throw FormatError(
        .malformed,
        "\(rest.count) bytes of the central directory are left after its \(end.entryCount) entries",
        at: rest.lowerBound)
    }
    return entries
  }
}

extension Range<Int> {
  /// The range without what lies more than `count` behind its start.
  fileprivate func limited(to count: Int) -> Range<Int> {
    lowerBound..<Swift.min(upperBound, lowerBound + count)
  }
}

extension ZipEntry {
  /// Reads one line of the central directory.
  ///
  /// - Throws: see ``ZipDirectory/init(reading:)``.
  fileprivate init(reading reader: inout ByteReader, _ end: EndRecords) throws(FormatError) {
    let start = reader.offset
    let header = try CentralDirectoryHeader(reading: &reader)
    name = try Self.name(try reader.readBytes(count: Int(header.nameLength)), at: start)
    var fields = Zip64ExtendedInformation(header)
    _ = try ExtraField(reading: &reader, count: Int(header.extraLength), widening: &fields)
    try reader.skip(Int(header.commentLength))

    flags = header.flags
    encoding = try Self.encoding(header, name: name, at: start)
    crc32 = header.crc32
    byteCount = try Int(fields.uncompressedSize, orThrow: "the size of '\(name)'")
    storedByteCount = try Int(fields.compressedSize, orThrow: "the compressed size of '\(name)'")
    localHeaderOffset = try Int(fields.localHeaderOffset, orThrow: "the offset of '\(name)'")
      .adding(end.archiveOffset, orThrow: "the offset of '\(name)'")
    dataOffset = localHeaderOffset
    guard fields.startDisk == 0 else {
      throw FormatError(
        .unsupported, "'\(name)' is on disk \(fields.startDisk) of several", at: start)
    }
    guard localHeaderOffset < end.centralDirectory.lowerBound,
      storedByteCount < end.centralDirectory.lowerBound - localHeaderOffset
    else {
      throw FormatError(
        .malformed,
        "'\(name)' with \(storedByteCount) bytes at byte \(localHeaderOffset) does not lie before "
          + "the central directory", at: start)
    }
    try checkSizes(at: start)
  }

  private static func name(_ bytes: Span<UInt8>, at offset: Int) throws(FormatError) -> String {
    guard let text = try? UTF8Span(validating: bytes) else {
      throw FormatError(.malformed, "the name of an entry is not UTF-8", at: offset)
    }
    let name = String(copying: text)
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw FormatError(.malformed, "the name of an entry is empty or contains NUL", at: offset)
    }
    return name
  }

  private static func encoding(
    _ header: CentralDirectoryHeader, name: String, at offset: Int
  ) throws(FormatError) -> FileRegion.Encoding {
    if let obstacle = header.flags.obstacle {
      throw FormatError(.unsupported, "'\(name)' is \(obstacle)", at: offset)
    }
    guard let encoding = header.method.encoding else {
      throw FormatError(
        .unsupported, "'\(name)' is compressed with \(header.method)", at: offset,
        hint: "unpack the archive and pack it again without compression, for example 'zip -0 -r'")
    }
    return encoding
  }

  /// Refuses sizes that the data cannot have.
  private func checkSizes(at offset: Int) throws(FormatError) {
    guard !isDirectory || byteCount == 0 else {
      throw FormatError(
        .malformed, "the directory '\(name)' has \(byteCount) bytes of data", at: offset)
    }
    switch encoding {
    case .stored:
      guard byteCount == storedByteCount else {
        throw FormatError(
          .malformed,
          "'\(name)' is stored with \(storedByteCount) bytes, but should have \(byteCount)",
          at: offset)
      }
    case .deflated:
      guard byteCount / Limits.deflateRatio <= storedByteCount else {
        throw FormatError(
          .malformed,
          "\(storedByteCount) bytes cannot decompress to the \(byteCount) announced for '\(name)'",
          at: offset)
      }
    }
  }
}
