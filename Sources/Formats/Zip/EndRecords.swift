internal import CkptBase

/// The combined contents of the two or three records at the end of an archive.
struct EndRecords {
  /// The start of the archive in the file; every offset in the archive counts from there.
  ///
  /// It is not zero if `torch.save` wrote to a stream that already held bytes.
  let archiveOffset: Int
  /// The range of the central directory in the file.
  let centralDirectory: Range<Int>
  /// The range of a second central directory, for programs that use the declared offset literally.
  let otherDirectory: Range<Int>?
  let entryCount: Int
  let hasZip64Record: Bool
  let commentLength: Int
  /// The number of bytes between the end of the archive and the end of the file.
  let trailingByteCount: Int

  /// Cross-checks the records at the end of an archive.
  ///
  /// - Throws: `truncated` if there are none; `malformed` if they contradict each other or the
  ///   file; `unsupported` for an archive on several disks; `limitExceeded` for more entries than
  ///   ``Limits/archiveEntries``.
  init(at archive: ArchiveEnd, _ faults: inout ZipDiagnostics) throws(CheckpointError) {
    guard let offset = archive.recordOffset else {
      throw CheckpointError(
        .truncated, "no \(EndOfCentralDirectory.signature.recordName) at the end of the file",
        remedy: "the file is truncated or not a ZIP archive; download or copy it again")
    }
    let bytes = try archive.bytes(in: offset..<offset + EndOfCentralDirectory.byteCount)
    var reader = ByteReader(bytes.span, base: offset)
    let narrow = try EndOfCentralDirectory(reading: &reader)
    let wide =
      try faults.noting { () throws(CheckpointError) in
        try Zip64EndRecord(before: offset, in: archive)
      } ?? nil
    let end = wide?.offset ?? offset

    if wide == nil, narrow.needsZip64Record {
      try faults.note(
        CheckpointError(
          .malformed, "the end record refers to a ZIP64 end record, which is missing", at: offset))
    }
    try Self.checkSingleDisk(narrow, wide, at: offset, &faults)
    let count = try Self.agreed(
      narrow.entryCount, wide?.record.entryCount, "entry count", at: offset, &faults)
    let announcedSize = try Self.agreed(
      narrow.centralDirectorySize, wide?.record.centralDirectorySize,
      "central directory size", at: offset, &faults)
    let start = try Self.agreed(
      narrow.centralDirectoryOffset, wide?.record.centralDirectoryOffset,
      "central directory offset", at: offset, &faults)
    let size = min(announcedSize, end)
    entryCount = try Self.checkedEntryCount(count, size: announcedSize, at: offset, &faults)

    // The central directory ends where the first end record starts. This gives the start of the
    // archive, unless the ZIP64 locator gave it before.
    let length =
      try faults.noting { () throws(CheckpointError) in
        try start.adding(announcedSize, orThrow: "the end of the central directory")
      } ?? end
    let expectedLength = wide.map { end - $0.archiveOffset }
    if length > end || length != expectedLength ?? length {
      try faults.note(
        CheckpointError(
          .malformed,
          "the central directory of \(announcedSize) bytes at byte \(start) does not end at the end "
            + "record, byte \(expectedLength ?? end)", at: offset))
    }
    archiveOffset = max(0, end - length)
    centralDirectory = end - size..<end
    otherDirectory = try Self.directory(
      announcedAt: start, byteCount: announcedSize, besides: centralDirectory,
      in: archive.source)
    if otherDirectory != nil {
      try faults.note(
        CheckpointError(
          .malformed,
          "the archive has two tables of contents, at byte \(start) and at byte "
            + "\(centralDirectory.lowerBound)", at: offset,
          remedy: "readers disagree on which one they use; repack the archive with one of them"))
    }
    hasZip64Record = wide != nil
    commentLength = Int(narrow.commentLength)
    trailingByteCount =
      archive.source.byteCount - offset - EndOfCentralDirectory.byteCount - commentLength
    if trailingByteCount < 0 {
      try faults.note(
        CheckpointError(
          .truncated,
          "the archive comment of \(commentLength) bytes runs past the end of the file", at: offset)
      )
    }
  }

  /// Returns the range of a central directory at the declared offset, if it is not the one before
  /// the end record.
  ///
  /// An archive that does not start with the file can have both.
  private static func directory(
    announcedAt start: Int, byteCount: Int, besides known: Range<Int>, in source: any ByteSource
  ) throws(CheckpointError) -> Range<Int>? {
    guard start != known.lowerBound, byteCount > 0, start < source.byteCount else { return nil }
    let signature = CentralDirectoryHeader.signature.bytes
    let bytes = try source.bytes(in: start..<min(start + signature.count, source.byteCount))
    guard bytes == signature else { return nil }
    return start..<start + min(byteCount, source.byteCount - start)
  }

  /// Returns the value of a field that both end records have.
  ///
  /// - Throws: `malformed` if they differ although the narrow one is not at its maximum.
  private static func agreed<Narrow: FixedWidthInteger & UnsignedInteger>(
    _ narrow: Narrow, _ wide: UInt64?, _ what: String, at offset: Int,
    _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> Int {
    guard let wide else { return try Int(UInt64(narrow), orThrow: "the \(what)") }
    if narrow != .max, UInt64(narrow) != wide {
      try faults.note(
        CheckpointError(
          .malformed, "the \(what) is \(narrow) in one end record and \(wide) in the ZIP64 one",
          at: offset))
    }
    return try faults.int(wide, "the \(what)")
  }

  private static func checkSingleDisk(
    _ narrow: EndOfCentralDirectory, _ wide: Zip64EndRecord?, at offset: Int,
    _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) {
    // A disk number at its maximum refers to the ZIP64 record.
    let first: Set<UInt16> = wide == nil ? [0] : [0, .max]
    guard first.contains(narrow.diskNumber), first.contains(narrow.centralDirectoryDisk),
      narrow.diskEntryCount == narrow.entryCount, wide?.isSingleDisk ?? true
    else {
      return try faults.note(
        CheckpointError(
          .unsupported, "the archive is one part of a multi-part archive", at: offset,
          remedy: "join the parts into one archive first, for example with 'zip -s 0'"))
    }
  }

  /// Returns the number of entries, limited to the size of the central directory.
  ///
  /// - Throws: `malformed` or `limitExceeded`, before the count is used as a size.
  private static func checkedEntryCount(
    _ count: Int, size: Int, at offset: Int, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> Int {
    if count > Limits.archiveEntries {
      try faults.note(
        CheckpointError(
          .limitExceeded, "\(count) entries are more than the limit of \(Limits.archiveEntries)",
          at: offset))
    }
    let room = size / CentralDirectoryHeader.byteCount
    if count > room {
      try faults.note(
        CheckpointError(
          .malformed,
          "\(count) entries do not fit a central directory of \(size) bytes", at: offset))
    }
    return min(count, room, Limits.archiveEntries)
  }
}

/// The ZIP64 end record, found by its locator.
struct Zip64EndRecord {
  let record: Zip64EndOfCentralDirectory
  let locator: Zip64EndOfCentralDirectoryLocator
  /// The start of the record in the file.
  let offset: Int
  /// The start of the archive in the file, according to the locator.
  let archiveOffset: Int

  /// Whether everything is on one disk; some writers count zero disks.
  var isSingleDisk: Bool {
    record.diskNumber == 0 && record.centralDirectoryDisk == 0 && locator.endRecordDisk == 0
      && locator.diskCount <= 1 && record.diskEntryCount == record.entryCount
  }

  /// Finds the record whose locator stands directly before `endOffset`; `nil` without a locator.
  ///
  /// - Throws: `malformed` if the record of the locator is missing.
  init?(before endOffset: Int, in archive: ArchiveEnd) throws(CheckpointError) {
    let locatorOffset = endOffset - Zip64EndOfCentralDirectoryLocator.byteCount
    guard locatorOffset >= 0 else { return nil }
    let bytes = try archive.bytes(in: locatorOffset..<endOffset)
    guard bytes.starts(with: Zip64EndOfCentralDirectoryLocator.signature.bytes) else { return nil }
    var reader = ByteReader(bytes.span, base: locatorOffset)
    locator = try Zip64EndOfCentralDirectoryLocator(reading: &reader)

    // The record ends where its locator starts. If the archive does not start with the file, the
    // offset in the locator is too small, so the record is searched directly before the locator.
    let announced = Int(clamping: locator.endRecordOffset)
    let adjacent = locatorOffset - Zip64EndOfCentralDirectory.byteCount
    for start in [announced, adjacent] where start <= adjacent && start >= announced {
      guard let record = try Self.record(at: start, endingAt: locatorOffset, in: archive) else {
        continue
      }
      self.record = record
      offset = start
      archiveOffset = start - announced
      return
    }
    throw CheckpointError(
      .malformed,
      "no \(Zip64EndOfCentralDirectory.signature.recordName) ends at its locator, which declares "
        + "one at byte \(locator.endRecordOffset)", at: locatorOffset)
  }

  /// Returns the record at `start` if there is one that ends at `end`.
  private static func record(
    at start: Int, endingAt end: Int, in archive: ArchiveEnd
  ) throws(CheckpointError) -> Zip64EndOfCentralDirectory? {
    let bytes = try archive.bytes(in: start..<start + Zip64EndOfCentralDirectory.byteCount)
    guard bytes.starts(with: Zip64EndOfCentralDirectory.signature.bytes) else { return nil }
    var reader = ByteReader(bytes.span, base: start)
    let record = try Zip64EndOfCentralDirectory(reading: &reader)
    let length = end - start - Zip64EndOfCentralDirectory.leadingByteCount
    return record.remainingSize == UInt64(length) ? record : nil
  }
}
