internal import Bytes

/// Holds an entry's local header against its line in the central directory and its neighbour.
struct LocalHeaderCheck {
  let entry: ZipEntry
  /// The entry whose local header comes next in the file, or `nil` before the central directory.
  let next: ZipEntry?
  /// Where the central directory starts in the file.
  let centralDirectory: Int

  /// The range of the first `count` bytes from the local header on.
  ///
  /// - Throws: `malformed` when they reach into the next entry or the central directory.
  func range(_ count: Int) throws(FormatError) -> Range<Int> {
    let start = entry.localHeaderOffset
    let bound = next?.localHeaderOffset ?? centralDirectory
    guard count <= bound - start else {
      let neighbour = next.map { "'\($0.name)'" } ?? "the central directory"
      throw FormatError(
        .malformed,
        "'\(entry.name)' overlaps \(neighbour): it takes at least \(count) bytes, "
          + "\(bound - start) are left", at: start)
    }
    return start..<start + count
  }

  /// Compares name, method, checksum and sizes; tells whether torch's filler is there.
  ///
  /// - Throws: `malformed` when they differ.
  func compare(_ reader: inout ByteReader) throws(FormatError) -> Bool {
    let header = try LocalFileHeader(reading: &reader)
    let name = try reader.readBytes(count: Int(header.nameLength))
    guard name.elementsEqual(entry.name.utf8) else { throw otherName(name) }
    guard header.flags.obstacle == nil else { throw contradiction("encryption flag") }
    guard header.method.encoding == entry.encoding else { throw contradiction("method") }
    var fields = Zip64ExtendedInformation(header)
    var faults = ZipFaults(tolerated: false)
    let extra = try ExtraField(
      reading: &reader, count: Int(header.extraLength), widening: &fields, &faults)
    // With the flag set, the fields are meant to be zero and the truth follows the data.
    guard !header.flags.contains(.dataDescriptor) else { return extra.hasTorchPadding }
    guard header.crc32 == 0 || header.crc32 == entry.crc32 else {
      throw contradiction("checksum")
    }
    guard fields.compressedSize == UInt64(entry.storedByteCount),
      fields.uncompressedSize == UInt64(entry.byteCount)
    else { throw contradiction("size") }
    return extra.hasTorchPadding
  }

  private func otherName(_ name: Span<UInt8>) -> FormatError {
    var error = contradiction("name")
    let text = String(decoding: name.indices.map { name[$0] }, as: UTF8.self)
    error.message += ": it is '\(text.prefix(200))'"
    return error
  }

  private func contradiction(_ what: String) -> FormatError {
    FormatError(
      .malformed,
      "the \(what) in the local header of '\(entry.name)' is not that of the central directory",
      at: entry.localHeaderOffset)
  }
}

extension Span<UInt8> {
  fileprivate func elementsEqual(_ text: String.UTF8View) -> Bool {
    guard text.count == count else { return false }
    var index = 0
    for byte in text {
      guard self[index] == byte else { return false }
      index += 1
    }
    return true
  }
}
