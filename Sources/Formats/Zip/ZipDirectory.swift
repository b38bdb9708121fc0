package import CkptBase

/// The table of contents of a ZIP archive, checked against the archive.
///
/// The checks go beyond torch's: every local header must agree with the central directory, and no
/// two entries can share a name or a byte. So a file has one meaning for all readers. Data is
/// neither read nor inflated.
package struct ZipDirectory: Sendable {
  /// The file with the archive.
  package let source: any ByteSource
  /// The entries, in the order of the central directory.
  package let entries: [ZipEntry]
  /// The facts about the archive other than its entries.
  package let layout: ZipLayout
  /// The ranges of the central directories in the file: one, unless contradictions are tolerated.
  let directoryRanges: [Range<Int>]
  /// The entries by name; ASCII case is ignored.
  private let names: TextTable

  /// Reads the end records, the central directory and every local header of `source`.
  ///
  /// Errors have offsets from the start of the file, and no path.
  /// - Throws: `truncated` if the end of the archive is missing; `malformed` if its records
  ///   contradict each other; `unsupported` for encryption, several disks and methods other than
  ///   deflate; `limitExceeded` for more entries than ``Limits/archiveEntries``.
  package init(reading source: any ByteSource) throws(CheckpointError) {
    try self.init(reading: ArchiveEnd(of: source))
  }

  /// Reads an archive whose end was found, like ``init(reading:)-(any ByteSource)``.
  ///
  /// - Throws: the same errors.
  package init(reading end: ArchiveEnd) throws(CheckpointError) {
    var faults = ZipDiagnostics(tolerated: false)
    try self.init(reading: end, &faults)
  }

  /// Reads an archive and reports contradictions to `faults`.
  ///
  /// If they are tolerated, two entries can share a name, and data can be anywhere.
  /// - Throws: `truncated` if the end of the archive is missing, and the errors of `faults`.
  package init(
    reading archive: ArchiveEnd, _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) {
    let end = try EndRecords(at: archive, &faults)
    var entries = try Self.centralEntries(
      end, archive.window, in: end.centralDirectory, shiftedBy: end.archiveOffset, &faults)
    if let other = end.otherDirectory {
      let known = Set(entries.map(\.localHeaderOffset))
      entries += try Self.centralEntries(
        end, archive.window, in: other, shiftedBy: 0, &faults
      ).filter { !known.contains($0.localHeaderOffset) }
    }
    names = try Self.names(of: entries, &faults)
    let hasTorchPadding = try Self.locateData(
      of: &entries, archive.window, in: archive.source, before: end.centralDirectory.lowerBound,
      &faults)
    directoryRanges = [end.centralDirectory] + (end.otherDirectory.map { [$0] } ?? [])
    layout = ZipLayout(
      archiveOffset: end.archiveOffset,
      commentLength: end.commentLength,
      trailingByteCount: end.trailingByteCount,
      hasZip64Record: end.hasZip64Record,
      hasChecksums: entries.allSatisfy { $0.byteCount == 0 }
        || entries.contains { $0.byteCount > 0 && $0.crc32 != 0 },
      hasTorchPadding: hasTorchPadding,
      dataAlignment: entries.reduce(0) {
        greatestCommonDivisor($0, $1.dataOffset - end.archiveOffset)
      })
    source = archive.source
    self.entries = entries
  }

  /// Returns the entry with a name, or `nil`.
  ///
  /// Like in torch, ASCII case is ignored by default.
  package func entry(named name: String, ignoringCase ignoresCase: Bool = true) -> ZipEntry? {
    names.number(hash: TextTable.hash(name.utf8.span, ignoringCase: true)) {
      ignoresCase
        ? entries[$0].name.equalsIgnoringCase(name)
        : ExactString(entries[$0].name) == ExactString(name)
    }.map { entries[$0] }
  }

  /// Returns the entries by name.
  ///
  /// - Throws: `malformed` if two names are the same to torch, which ignores ASCII case.
  private static func names(
    of entries: [ZipEntry], _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) -> TextTable {
    var names = TextTable(expectedCount: entries.count)
    for (index, entry) in entries.enumerated() {
      let hash = TextTable.hash(entry.name.utf8.span, ignoringCase: true)
      let known = names.update(index, hash: hash) {
        entries[$0].name.equalsIgnoringCase(entry.name)
      }
      guard let known else { continue }
      let other = entries[known].name
      try faults.note(
        CheckpointError(
          .malformed,
          ExactString(other) == ExactString(entry.name)
            ? "two entries are named '\(entry.name)'"
            : "the entries '\(other)' and '\(entry.name)' differ only in case",
          at: entry.localHeaderOffset,
          remedy:
            "readers disagree on which one they use; repack the archive with one of them"
        )
      )
    }
    return names
  }
}

/// Returns the greatest common divisor (Euclid); every number divides zero.
private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
  var (first, second) = (first, second)
  while second != 0 { (first, second) = (second, first % second) }
  return first
}

/// The facts about an archive other than its entries, for listings and for writing it again.
package struct ZipLayout: Hashable, Sendable {
  /// The start of the archive, in bytes from the start of the file; its offsets count from there.
  package let archiveOffset: Int
  /// The length of the archive comment in bytes.
  package let commentLength: Int
  /// The number of bytes after the archive and its comment.
  package let trailingByteCount: Int
  /// Whether it has a ZIP64 end record; torch writes one into every archive.
  package let hasZip64Record: Bool
  /// Whether any entry with data has a CRC-32 other than zero, or no entry has data.
  ///
  /// `torch.save` leaves all of them zero if checksums are off.
  package let hasChecksums: Bool
  /// Whether every local header has torch's padding, even an empty one.
  package let hasTorchPadding: Bool
  /// The greatest common divisor of the offsets of all data in the archive; zero without entries.
  ///
  /// It is a multiple of the alignment of the archive.
  package let dataAlignment: Int
}

/// The treatment of contradictions in an archive.
///
/// A conversion tolerates none: the first one is thrown. A scan collects them and reads on, with
/// the same code.
package struct ZipDiagnostics: Sendable {
  /// The maximum number of contradictions to keep; a file can have very many.
  private static let limit = 1000

  /// The first contradictions.
  package private(set) var found: [CheckpointError] = []
  /// The number of contradictions.
  package private(set) var count = 0
  /// Whether reading continues after one.
  package let areTolerated: Bool

  /// Creates an empty list.
  package init(tolerated areTolerated: Bool) { self.areTolerated = areTolerated }

  /// Records a contradiction.
  ///
  /// - Throws: the contradiction, unless they are tolerated.
  package mutating func note(_ fault: CheckpointError) throws(CheckpointError) {
    guard areTolerated else { throw fault }
    count += 1
    if found.count < Self.limit { found.append(fault) }
  }

  /// Records the error of `body`.
  ///
  /// Returns its value, or `nil` after an error.
  ///
  /// - Throws: the error, unless contradictions are tolerated.
  mutating func noting<Value>(
    _ body: () throws(CheckpointError) -> Value
  ) throws(CheckpointError) -> Value? {
    do {
      return try body()
    } catch {
      try note(error)
      return nil
    }
  }

  /// Returns a number as an `Int`.
  ///
  /// One that is too large is recorded and replaced by the largest.
  ///
  /// - Throws: `malformed` for one that is too large, unless contradictions are tolerated.
  mutating func int(_ value: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError)
    -> Int
  {
    try noting { () throws(CheckpointError) in try Int(value, orThrow: what()) } ?? .max
  }
}
