package import CkptBase
package import CkptZip

/// A source with its first bytes and, on demand, its last bytes; each is read once.
///
/// Recognizing a source fills it. The reader reuses what was read.
package struct SourceLook: Sendable {
  /// The number of first bytes, in bytes.
  package static let headByteCount = 4 << 10

  /// The source.
  package let source: any ByteSource
  /// The first bytes.
  package let head: [UInt8]
  private var knownEnd: ArchiveEnd?
  private var knownDirectory: ZipDirectory?
  private var knownContents: [UInt8]?

  /// Reads the first bytes of `source`.
  ///
  /// - Throws: `inputOutput` if the read fails.
  package init(at source: any ByteSource) throws(CheckpointError) {
    self.source = source
    head = try source.bytes(in: 0..<Self.headByteCount)
  }

  /// Whether the first bytes are the whole source.
  private var isWhole: Bool { head.count == source.byteCount }

  /// Whether the source begins like a ZIP archive.
  package var beginsLikeArchive: Bool {
    head.starts(with: "PK\u{3}\u{4}".utf8) || head.starts(with: "PK\u{5}\u{6}".utf8)
  }

  /// Reads the end of the source as the end of an archive.
  ///
  /// - Throws: `inputOutput` if the read fails.
  package mutating func archiveEnd() throws(CheckpointError) -> ArchiveEnd {
    if let knownEnd { return knownEnd }
    let end = try ArchiveEnd(of: source, knowing: isWhole ? head : nil)
    knownEnd = end
    return end
  }

  /// Reads the table of contents of the archive at the end of the source.
  ///
  /// - Throws: the errors of ``ZipDirectory``.
  package mutating func zipDirectory() throws(CheckpointError) -> ZipDirectory {
    if let knownDirectory { return knownDirectory }
    let directory = try ZipDirectory(reading: archiveEnd())
    knownDirectory = directory
    return directory
  }

  /// Reads all bytes of a source that should be `kind`, such as `an index of shards`.
  ///
  /// - Throws: `limitExceeded` for more than `limit` bytes, `inputOutput` if the read fails.
  package mutating func contents(
    of kind: String, atMost limit: Int
  ) throws(CheckpointError) -> [UInt8] {
    if let knownContents { return knownContents }
    let contents = isWhole ? head : try source.contents(of: kind, atMost: limit)
    knownContents = contents
    return contents
  }

  /// Returns the bytes of `range`, or fewer if the source ends inside it.
  ///
  /// - Throws: `inputOutput` if the read fails.
  package func bytes(in range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    guard range.upperBound <= head.count || isWhole else {
      return try source.bytes(in: range)
    }
    return Array(head[range.clamped(to: 0..<head.count)])
  }
}
