package import CkptBase
internal import CkptGraph

/// The local header of an entry, for archives without a table of contents.
///
/// Its sizes are unreliable: `torch.save` leaves them zero.
package struct LocalHeaderOnlyEntry: Sendable {
  /// The name of the entry.
  package let name: String
  /// The start of its data, in bytes from the start of the file.
  package let dataOffset: Int

  /// The size of the data descriptor that `torch.save` writes after the data of an entry that is
  /// not empty, unless its size or offset exceeds 32 bits.
  package static let descriptorByteCount = 16

  /// Reads the local header at `offset`; `nil` if there is none.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  package init?(in source: any ByteSource, at offset: Int) throws(CheckpointError) {
    let end = offset + LocalFileHeader.byteCount
    guard offset >= 0, end <= source.byteCount else { return nil }
    let bytes = try source.bytes(in: offset..<end)
    var reader = ByteReader(bytes.span, base: offset)
    guard let header = try? LocalFileHeader(reading: &reader) else { return nil }
    let nameEnd = end + Int(header.nameLength)
    guard nameEnd <= source.byteCount,
      let name = String(validating: try source.bytes(in: end..<nameEnd), as: UTF8.self)
    else { return nil }
    self.name = name
    dataOffset = offset + header.totalByteCount
  }
}

/// Entries that the central directory does not list. Programs that read an archive from its start
/// find them; programs that read it from its end do not.
extension ZipDirectory {
  /// The number of bytes to search at once.
  private static let windowByteCount = 1 << 20
  /// The maximum length of a name.
  private static let longestName = 4096
  /// The maximum number of such entries to report.
  private static let strayLimit = 1000

  /// Returns the entries between those of the central directory, in file order.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  package func strayEntries() throws(CheckpointError) -> [ZipEntry] {
    let known = entries.map {
      $0.localHeaderOffset..<max($0.localHeaderOffset, $0.dataRange.upperBound)
    }
    var strays: [ZipEntry] = []
    var end = 0
    for range in (known + directoryRanges).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > end {
        strays += try Self.strayEntries(of: source, in: end..<range.lowerBound)
      }
      end = max(end, range.upperBound)
    }
    if end < source.byteCount {
      strays += try Self.strayEntries(of: source, in: end..<source.byteCount)
    }
    return Array(strays.prefix(Self.strayLimit))
  }

  /// Returns the entries with a local header in a part of `source`, which does not have to be an
  /// archive.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  package static func strayEntries(
    of source: any ByteSource, in range: Range<Int>
  ) throws(CheckpointError) -> [ZipEntry] {
    var strays: [Stray] = []
    let mark = LocalFileHeader.signature.bytes
    var start = range.lowerBound
    while range.upperBound - start >= LocalFileHeader.byteCount, strays.count < strayLimit {
      let window = start..<min(start + windowByteCount, range.upperBound)
      let bytes = try source.bytes(in: window)
      guard bytes.count > mark.count else { break }
      var next = window.upperBound - (mark.count - 1)
      for index in 0...bytes.count - mark.count where bytes[index] == mark[0] {
        guard bytes[index...].starts(with: mark),
          let stray = try stray(at: start + index, before: range.upperBound, in: source)
        else { continue }
        strays.append(stray)
        // The data of an entry is not searched for other entries, if its size is known.
        next = stray.isOpen ? stray.entry.dataOffset : stray.entry.dataRange.upperBound
        break
      }
      start = next
    }
    return strays.indices.map { index in
      let (entry, isOpen) = (strays[index].entry, strays[index].isOpen)
      guard isOpen, index + 1 < strays.count else { return entry }
      return entry.cut(before: strays[index + 1].entry.localHeaderOffset)
    }
  }

  /// An entry that no table of contents lists, and whether only the next entry shows its end.
  private struct Stray {
    var entry: ZipEntry
    var isOpen: Bool
  }

  /// Returns the entry with a local header at `offset`, if the bytes look like one.
  private static func stray(
    at offset: Int, before end: Int, in source: any ByteSource
  ) throws(CheckpointError) -> Stray? {
    let most = LocalFileHeader.byteCount + longestName + Int(UInt16.max)
    let bytes = try source.bytes(in: offset..<min(offset + most, end))
    var reader = ByteReader(bytes.span, base: offset)
    guard let header = try? LocalFileHeader(reading: &reader),
      let encoding = header.method.encoding, (1...longestName).contains(Int(header.nameLength)),
      let nameBytes = try? reader.readBytes(count: Int(header.nameLength)),
      let text = try? UTF8Span(validating: nameBytes)
    else { return nil }
    let start = offset + header.totalByteCount
    guard start <= end else { return nil }
    // torch leaves the sizes to the central directory. Then the end of the data is unknown.
    let isOpen = header.compressedSize == 0 || header.compressedSize == .max
    let count = isOpen ? end - start : min(Int(header.compressedSize), end - start)
    let entry = ZipEntry(
      name: String(copying: text), encoding: encoding, flags: header.flags, crc32: header.crc32,
      byteCount: isOpen ? count : Int(header.uncompressedSize), storedByteCount: count,
      localHeaderOffset: offset, dataOffset: start)
    return Stray(entry: entry, isOpen: isOpen)
  }
}

extension ZipEntry {
  /// Returns the entry with its data cut off at the start of the next one.
  fileprivate func cut(before end: Int) -> ZipEntry {
    let count = max(0, end - dataOffset)
    return ZipEntry(
      name: name, encoding: encoding, flags: flags, crc32: crc32, byteCount: count,
      storedByteCount: count, localHeaderOffset: localHeaderOffset, dataOffset: dataOffset)
  }
}
