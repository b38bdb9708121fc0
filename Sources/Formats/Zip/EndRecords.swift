internal import Bytes

/// What the two or three records at the end of an archive agree on.
struct EndRecords {
  /// Where the archive starts in the file; every offset inside it counts from there.
  ///
  /// It is not zero when `torch.save` wrote to a stream that already held bytes.
  let archiveOffset: Int
  /// Where the central directory lies in the file.
  let centralDirectory: Range<Int>
  let entryCount: Int
  let hasZip64Record: Bool
  let commentLength: Int
  /// The bytes between the end of the archive and the end of the file.
  let trailingByteCount: Int

  /// Finds and cross-checks the records at the end of `file`.
  ///
  /// - Throws: `truncated` when there are none; `malformed` when they contradict each other or the
  ///   file; `unsupported` when the archive spans several disks; `limitExceeded` when it lists more
  ///   than ``Limits/archiveEntries``.
  init(locatedIn file: SourceFile) throws(FormatError) {
    guard let offset = try EndOfCentralDirectory.offset(in: file) else {
      throw FormatError(
        .truncated, "no \(EndOfCentralDirectory.signature.recordName) at the end of the file",
        hint: "the file was cut off on the way or is not a ZIP archive; fetch it again")
    }
    let bytes = try file.bytes(in: offset..<offset + EndOfCentralDirectory.byteCount)
    var reader = ByteReader(bytes.span, base: offset)
    let narrow = try EndOfCentralDirectory(reading: &reader)
    let wide = try Zip64EndRecord(before: offset, in: file)
    let end = wide?.offset ?? offset

    guard wide != nil || !narrow.needsZip64Record else {
      throw FormatError(
        .malformed, "the end record refers to a ZIP64 end record, which is missing", at: offset)
    }
    try Self.checkSingleDisk(narrow, wide, at: offset)
    entryCount = try Self.agreed(
      narrow.entryCount, wide?.record.entryCount, "entry count", at: offset)
    let size = try Self.agreed(
      narrow.centralDirectorySize, wide?.record.centralDirectorySize,
      "central directory size", at: offset)
    let start = try Self.agreed(
      narrow.centralDirectoryOffset, wide?.record.centralDirectoryOffset,
      "central directory offset", at: offset)
    try Self.checkEntryCount(entryCount, size: size, at: offset)

    // The central directory ends where the first end record starts; that tells where the archive
    // starts, unless the ZIP64 locator has told before.
    let length = try start.adding(size, orThrow: "the end of the central directory")
    let expectedLength = wide.map { end - $0.archiveOffset }
    guard length <= end, length == expectedLength ?? length else {
      throw FormatError(
        .malformed,
        "the central directory of \(size) bytes at byte \(start) does not end at the end record, "
          + "byte \(expectedLength ?? end)", at: offset)
    }
    archiveOffset = end - length
    centralDirectory = end - size..<end
    hasZip64Record = wide != nil
    commentLength = Int(narrow.commentLength)
    trailingByteCount =
      file.byteCount - offset - EndOfCentralDirectory.byteCount - commentLength
    guard trailingByteCount >= 0 else {
      throw FormatError(
        .truncated,
        "the archive comment of \(commentLength) bytes runs past the end of the file", at: offset)
    }
  }

  /// The value of a field that both end records have.
  ///
  /// - Throws: `malformed` when they differ although the narrow one is not at its maximum.
  private static func agreed<Narrow: FixedWidthInteger & UnsignedInteger>(
    _ narrow: Narrow, _ wide: UInt64?, _ what: String, at offset: Int
  ) throws(FormatError) -> Int {
    guard let wide else { return try Int(UInt64(narrow), orThrow: "the \(what)") }
    guard narrow == .max || UInt64(narrow) == wide else {
      throw FormatError(
        .malformed, "the \(what) is \(narrow) in one end record and \(wide) in the ZIP64 one",
        at: offset)
    }
    return try Int(wide, orThrow: "the \(what)")
  }

  private static func checkSingleDisk(
    _ narrow: EndOfCentralDirectory, _ wide: Zip64EndRecord?, at offset: Int
  ) throws(FormatError) {
    // A disk number at its maximum stands for that of the ZIP64 record.
    let first: Set<UInt16> = wide == nil ? [0] : [0, .max]
    guard first.contains(narrow.diskNumber), first.contains(narrow.centralDirectoryDisk),
      narrow.diskEntryCount == narrow.entryCount, wide?.isSingleDisk ?? true
    else {
      throw FormatError(
        .unsupported, "the archive is one part of several", at: offset,
        hint: "join the parts into one archive first, for example with 'zip -s 0'")
    }
  }

  /// Refuses counts that the central directory has no room for, before anything is sized by them.
  private static func checkEntryCount(
    _ count: Int, size: Int, at offset: Int
  ) throws(FormatError) {
    guard count <= Limits.archiveEntries else {
      throw FormatError(
        .limitExceeded, "\(count) entries are more than the limit of \(Limits.archiveEntries)",
        at: offset)
    }
    guard count * CentralDirectoryHeader.byteCount <= size else {
      throw FormatError(
        .malformed,
        "\(count) entries do not fit a central directory of \(size) bytes", at: offset)
    }
  }
}
