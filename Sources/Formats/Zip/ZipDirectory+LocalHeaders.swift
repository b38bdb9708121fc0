internal import Bytes

extension ZipDirectory {
  /// The largest gap between two local headers that is read along with them, in bytes.
  ///
  /// Copying a page costs less than another system call.
  private static let gapByteCount = 4 << 10
  /// How much is read at once, in bytes.
  private static let windowByteCount = 1 << 20
  /// The room left for an extra field whose length is not known yet; torch's have up to 91 bytes.
  private static let expectedExtraByteCount = 128

  /// Finds where each entry's data starts; tells whether every local header has torch's filler.
  ///
  /// - Throws: `malformed` when a local header contradicts its entry or two entries overlap.
  static func locateData(
    of entries: inout [ZipEntry], in file: SourceFile, before centralDirectory: Int,
    _ faults: inout ZipFaults
  ) throws(FormatError) -> Bool {
    let order = entries.indices.sorted {
      entries[$0].localHeaderOffset < entries[$1].localHeaderOffset
    }
    var window = FileWindow(onto: file)
    var hasTorchPadding = true
    for (position, index) in order.enumerated() {
      let entry = entries[index]
      let next = position + 1 < order.count ? entries[order[position + 1]] : nil
      let check = LocalHeaderCheck(entry: entry, next: next, centralDirectory: centralDirectory)

      do throws(FormatError) {
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
        entries[index].dataOffset = try assumedDataOffset(of: entry, in: file)
      }
    }
    return hasTorchPadding
  }

  /// Where the data of an entry starts whose local header contradicts something.
  private static func assumedDataOffset(
    of entry: ZipEntry, in file: SourceFile
  ) throws(FormatError) -> Int {
    let start = min(entry.localHeaderOffset, file.byteCount)
    let bytes = try file.bytes(
      in: start..<min(start + LocalFileHeader.byteCount, file.byteCount))
    var reader = ByteReader(bytes.span)
    guard let header = try? LocalFileHeader(reading: &reader) else {
      return min(
        start + LocalFileHeader.byteCount + entry.name.utf8.count, file.byteCount)
    }
    return min(start + header.totalByteCount, file.byteCount)
  }

  /// Where a read that starts at the first of `order` ends so that it covers neighbouring headers.
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
