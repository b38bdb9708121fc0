internal import CkptBase

extension ZipDirectory {
  /// The maximum gap between two local headers that are read together, in bytes.
  ///
  /// Copying a page costs less than another system call.
  private static let gapByteCount = 4 << 10
  /// The number of bytes to read at once.
  private static let windowByteCount = 1 << 20
  /// The room for an extra field of unknown length, in bytes; torch's have up to 91.
  private static let expectedExtraByteCount = 128

  /// Finds the start of each entry's data.
  ///
  /// Returns whether every local header has torch's padding.
  ///
  /// - Throws: `malformed` if a local header contradicts its entry, or if two entries overlap.
  static func locateData(
    of entries: inout [ZipEntry], _ window: FileWindow, in source: any ByteSource,
    before centralDirectory: Int,
    _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> Bool {
    let order = entries.indices.sorted {
      entries[$0].localHeaderOffset < entries[$1].localHeaderOffset
    }
    var window = window
    var hasTorchPadding = true
    for (position, index) in order.enumerated() {
      let entry = entries[index]
      let next = position + 1 < order.count ? entries[order[position + 1]] : nil
      let check = LocalHeaderCheck(entry: entry, next: next, centralDirectory: centralDirectory)

      do throws(CheckpointError) {
        let fixed = try check.range(LocalFileHeader.byteCount)
        try window.hold(
          fixed, orReadUpTo: min(readAhead(entries, order[position...]), centralDirectory))
        var reader = window.reader(over: fixed)
        let whole = try check.range(try LocalFileHeader(reading: &reader).totalByteCount)
        try window.hold(whole, orReadUpTo: whole.upperBound)
        entries[index].dataOffset = whole.upperBound
        reader = window.reader(over: whole)
        let hasPadding = try check.compare(&reader)
        hasTorchPadding = hasTorchPadding && hasPadding
        _ = try check.range(whole.count + entry.storedByteCount)
      } catch {
        try faults.note(error)
        entries[index].dataOffset = try assumedDataOffset(of: entry, in: source)
      }
    }
    return hasTorchPadding
  }

  /// Returns the start of an entry's data if its local header contradicts something.
  private static func assumedDataOffset(
    of entry: ZipEntry, in source: any ByteSource
  ) throws(CheckpointError) -> Int {
    let start = min(entry.localHeaderOffset, source.byteCount)
    let bytes = try source.bytes(
      in: start..<min(start + LocalFileHeader.byteCount, source.byteCount))
    var reader = ByteReader(bytes.span)
    guard let header = try? LocalFileHeader(reading: &reader) else {
      return min(
        start + LocalFileHeader.byteCount + entry.name.utf8.count, source.byteCount)
    }
    return min(start + header.totalByteCount, source.byteCount)
  }

  /// Returns the end of a read that starts at the first of `order` and covers adjacent headers.
  private static func readAhead(_ entries: [ZipEntry], _ order: ArraySlice<Int>) -> Int {
    var range = 0..<0
    for index in order {
      let start = entries[index].localHeaderOffset
      if range.isEmpty { range = start..<start }
      let end =
        start + LocalFileHeader.byteCount + entries[index].name.utf8.count + expectedExtraByteCount
      guard start - range.upperBound <= gapByteCount, end - range.lowerBound <= windowByteCount
      else { break }
      range = range.lowerBound..<end
    }
    return range.upperBound
  }
}

/// Compares the local header of an entry with the central directory and the next entry.
struct LocalHeaderCheck {
  let entry: ZipEntry
  /// The entry with the next local header in the file, or `nil` before the central directory.
  let next: ZipEntry?
  /// The start of the central directory in the file.
  let centralDirectory: Int

  /// Returns the range of the first `count` bytes from the local header on.
  ///
  /// - Throws: `malformed` if they reach into the next entry or the central directory.
  func range(_ count: Int) throws(CheckpointError) -> Range<Int> {
    let start = entry.localHeaderOffset
    let bound = next?.localHeaderOffset ?? centralDirectory
    guard count <= bound - start else {
      let neighbor = next.map { "'\($0.name)'" } ?? "the central directory"
      throw CheckpointError(
        .malformed,
        "'\(entry.name)' overlaps \(neighbor): it needs at least \(count) bytes, "
          + "but \(bound - start) are left", at: start)
    }
    return start..<start + count
  }

  /// Compares name, method, checksum and sizes.
  ///
  /// Returns whether torch's padding is present.
  ///
  /// - Throws: `malformed` if they differ.
  func compare(_ reader: inout ByteReader) throws(CheckpointError) -> Bool {
    let header = try LocalFileHeader(reading: &reader)
    let name = try reader.readBytes(count: Int(header.nameLength))
    guard name.isEqual(to: entry.name.utf8.span) else { throw otherName(name) }
    guard header.flags.obstacle == entry.flags.obstacle else {
      throw contradiction("encryption flag")
    }
    guard header.method.encoding == entry.encoding else { throw contradiction("method") }
    var fields = Zip64ExtendedInformation(header)
    var faults = ZipDiagnostics(tolerated: false)
    let extra = try ExtraField(
      reading: &reader, count: Int(header.extraLength), widening: &fields, &faults)
    // With this flag, the fields are zero and the data descriptor has the values.
    guard !header.flags.contains(.dataDescriptor) else { return extra.hasTorchPadding }
    guard header.crc32 == 0 || header.crc32 == entry.crc32 else {
      throw contradiction("checksum")
    }
    guard fields.compressedSize == UInt64(entry.storedByteCount),
      fields.uncompressedSize == UInt64(entry.byteCount)
    else { throw contradiction("size") }
    return extra.hasTorchPadding
  }

  private func otherName(_ name: Span<UInt8>) -> CheckpointError {
    var error = contradiction("name")
    let text = String(decoding: name.indices.map { name[$0] }, as: UTF8.self)
    error.message += ": it is '\(text.prefix(200))'"
    return error
  }

  private func contradiction(_ what: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "the \(what) in the local header of '\(entry.name)' differs from the central directory",
      at: entry.localHeaderOffset)
  }
}
