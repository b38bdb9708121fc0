internal import Bytes

/// The ZIP64 end record and where its locator leads.
struct Zip64EndRecord {
  let record: Zip64EndOfCentralDirectory
  let locator: Zip64EndOfCentralDirectoryLocator
  /// Where the record starts in the file.
  let offset: Int
  /// Where the archive starts in the file, by the locator.
  let archiveOffset: Int

  /// Whether everything is on one disk; some writers count none.
  var isSingleDisk: Bool {
    record.diskNumber == 0 && record.centralDirectoryDisk == 0 && locator.endRecordDisk == 0
      && locator.diskCount <= 1 && record.diskEntryCount == record.entryCount
  }

  /// Finds the record whose locator stands right before `endOffset`; `nil` without a locator.
  ///
  /// - Throws: `malformed` when there is a locator, but not the record it points to.
  init?(before endOffset: Int, in file: SourceFile) throws(FormatError) {
    let locatorOffset = endOffset - Zip64EndOfCentralDirectoryLocator.byteCount
    guard locatorOffset >= 0 else { return nil }
    let bytes = try file.bytes(in: locatorOffset..<endOffset)
    guard bytes.starts(with: Zip64EndOfCentralDirectoryLocator.signature.bytes) else { return nil }
    var reader = ByteReader(bytes.span, base: locatorOffset)
    locator = try Zip64EndOfCentralDirectoryLocator(reading: &reader)

    // The record ends where its locator starts. In an archive that does not start with the file
    // the locator's offset is too small, and the record is looked for right before the locator.
    let announced = Int(clamping: locator.endRecordOffset)
    let adjacent = locatorOffset - Zip64EndOfCentralDirectory.byteCount
    for start in [announced, adjacent] where start <= adjacent && start >= announced {
      guard let record = try Self.record(at: start, endingAt: locatorOffset, in: file) else {
        continue
      }
      self.record = record
      offset = start
      archiveOffset = start - announced
      return
    }
    throw FormatError(
      .malformed,
      "no \(Zip64EndOfCentralDirectory.signature.recordName) ends at its locator, which announces "
        + "one at byte \(locator.endRecordOffset)", at: locatorOffset)
  }

  /// The record at `start` if there is one and it ends at `end`.
  private static func record(
    at start: Int, endingAt end: Int, in file: SourceFile
  ) throws(FormatError) -> Zip64EndOfCentralDirectory? {
    let bytes = try file.bytes(in: start..<start + Zip64EndOfCentralDirectory.byteCount)
    guard bytes.starts(with: Zip64EndOfCentralDirectory.signature.bytes) else { return nil }
    var reader = ByteReader(bytes.span, base: start)
    let record = try Zip64EndOfCentralDirectory(reading: &reader)
    let length = end - start - Zip64EndOfCentralDirectory.leadingByteCount
    return record.remainingSize == UInt64(length) ? record : nil
  }
}
