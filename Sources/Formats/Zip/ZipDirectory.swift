package import CkptBase

/// The table of contents of a ZIP archive, checked against the archive.
///
/// Beyond what torch demands, every entry's local header must agree with the central directory, and
/// no two entries may share a name or a byte. So one file cannot mean one thing to this reader and
/// another to the next. Data is neither read nor decompressed.
package struct ZipDirectory: Sendable {
  /// The file that holds the archive.
  package let source: any ByteSource
  /// The entries in the order of the central directory.
  package let entries: [ZipEntry]
  /// What the archive is like beside its entries.
  package let layout: ZipLayout
  /// Where its tables of contents lie in the file: one, unless contradictions are tolerated.
  let directoryRanges: [Range<Int>]
  /// The entries by their names without regard to ASCII case.
  private let names: TextTable

  /// Reads the end records, the central directory and every local header of `source`.
  ///
  /// Errors carry offsets from the start of the file, and no path.
  /// - Throws: `truncated` when the end of the archive is missing; `malformed` when its records
  ///   contradict each other; `unsupported` for encryption, other compression methods than deflate
  ///   and several disks; `limitExceeded` for more entries than ``Limits/archiveEntries``.
  package init(reading source: any ByteSource) throws(CheckpointError) {
    try self.init(reading: ArchiveEnd(of: source))
  }

  /// Reads an archive whose end has been found, like ``init(reading:)-(any ByteSource)``.
  ///
  /// - Throws: the same.
  package init(reading end: ArchiveEnd) throws(CheckpointError) {
    var faults = ZipDiagnostics(tolerated: false)
    try self.init(reading: end, &faults)
  }

  /// Reads an archive, but leaves it to `faults` what becomes of contradictions.
  ///
  /// Where they are tolerated, two entries can have one name, and data can lie anywhere.
  /// - Throws: `truncated` when the end of the archive is missing, and what `faults` throws.
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

  /// The entry of that name, or `nil`; like torch, without regard to ASCII case unless that is asked
  /// for.
  package func entry(named name: String, ignoringCase ignoresCase: Bool = true) -> ZipEntry? {
    names.number(hash: TextTable.hash(name.utf8.span, ignoringCase: true)) {
      ignoresCase
        ? entries[$0].name.equalsIgnoringCase(name)
        : ExactString(entries[$0].name) == ExactString(name)
    }.map { entries[$0] }
  }

  /// Where in `entries` each name is found.
  ///
  /// - Throws: `malformed` when two names are the same to torch, which ignores ASCII case.
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
            "which of them a reader finds is chance; pack the archive again without one of them"
        )
      )
    }
    return names
  }
}

/// Euclid's algorithm; zero is divided by every number.
private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
  var (first, second) = (first, second)
  while second != 0 { (first, second) = (second, first % second) }
  return first
}

/// What an archive is like beside its entries, for listings and for writing it again.
package struct ZipLayout: Hashable, Sendable {
  /// Where the archive starts, in bytes from the start of the file; its offsets count from there.
  package let archiveOffset: Int
  /// The length of the archive comment in bytes.
  package let commentLength: Int
  /// The bytes that follow the archive and its comment.
  package let trailingByteCount: Int
  /// Whether there is a ZIP64 end record; torch writes one into every archive.
  package let hasZip64Record: Bool
  /// Whether the CRC-32 of any entry with data is other than zero, or none has data.
  ///
  /// `torch.save` leaves all of them zero when told not to compute them.
  package let hasChecksums: Bool
  /// Whether every local header has torch's filler, even where it has no bytes to fill.
  package let hasTorchPadding: Bool
  /// The largest number that divides the distance of every entry's data from the archive's start;
  /// zero without entries.
  ///
  /// It is a multiple of the alignment the archive was written with.
  package let dataAlignment: Int
}

/// What becomes of the contradictions in an archive.
///
/// Who converts takes none of them: the first one is thrown. Who wants to know what is there all the
/// same collects them and reads on, by the same code.
package struct ZipDiagnostics: Sendable {
  /// How many contradictions are kept; a file can have one for every few bytes of it.
  private static let limit = 1000

  /// The contradictions found so far, of which the first thousand are kept.
  package private(set) var found: [CheckpointError] = []
  /// How many contradictions there are.
  package private(set) var count = 0
  /// Whether reading goes on.
  package let areTolerated: Bool

  /// No contradictions yet.
  package init(tolerated areTolerated: Bool) { self.areTolerated = areTolerated }

  /// Notes a contradiction.
  ///
  /// - Throws: the contradiction itself, unless they are tolerated.
  package mutating func note(_ fault: CheckpointError) throws(CheckpointError) {
    guard areTolerated else { throw fault }
    count += 1
    if found.count < Self.limit { found.append(fault) }
  }

  /// Notes what `body` throws; returns its value, or `nil` when it threw.
  ///
  /// - Throws: what `body` throws, unless contradictions are tolerated.
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

  /// A number as an `Int`; one that is too large is noted and taken for the largest.
  ///
  /// - Throws: `malformed` for one that is too large, unless contradictions are tolerated.
  mutating func int(_ value: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError)
    -> Int
  {
    try noting { () throws(CheckpointError) in try Int(value, orThrow: what()) } ?? .max
  }
}
