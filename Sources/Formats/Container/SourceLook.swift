package import CkptBase
package import CkptZip

/// A source that is looked at once: its first bytes and, as soon as somebody asks, its last.
///
/// Finding out what a source is fills it, and the reader goes on with what is known.
package struct SourceLook: Sendable {
  /// The number of first bytes.
  package static let headByteCount = 4 << 10

  /// The source.
  package let source: any ByteSource
  /// The first bytes of the source.
  package let head: [UInt8]
  private var knownEnd: ArchiveEnd?
  private var knownDirectory: ZipDirectory?
  private var knownContents: [UInt8]?

  /// Looks at the first bytes of `source`.
  ///
  /// - Throws: `inputOutput` when the read fails.
  package init(at source: any ByteSource) throws(CheckpointError) {
    self.source = source
    head = try source.bytes(in: 0..<Self.headByteCount)
  }

  /// Whether the first bytes are all there are.
  private var isWhole: Bool { head.count == source.byteCount }

  /// Whether the source begins as ZIP archives do.
  package var beginsLikeArchive: Bool {
    head.starts(with: "PK\u{3}\u{4}".utf8) || head.starts(with: "PK\u{5}\u{6}".utf8)
  }

  /// The end of the source as that of an archive.
  ///
  /// - Throws: `inputOutput` when the read fails.
  package mutating func archiveEnd() throws(CheckpointError) -> ArchiveEnd {
    if let knownEnd { return knownEnd }
    let end = try ArchiveEnd(of: source, knowing: isWhole ? head : nil)
    knownEnd = end
    return end
  }

  /// The table of contents of the archive that ends with the source.
  ///
  /// - Throws: what ``ZipDirectory`` throws.
  package mutating func zipDirectory() throws(CheckpointError) -> ZipDirectory {
    if let knownDirectory { return knownDirectory }
    let directory = try ZipDirectory(reading: archiveEnd())
    knownDirectory = directory
    return directory
  }

  /// All bytes of a source that should be `kind` (`an index of shards`) and is small if it is.
  ///
  /// - Throws: `limitExceeded` for more than `limit` bytes, `inputOutput` when the read fails.
  package mutating func contents(
    of kind: String, atMost limit: Int
  ) throws(CheckpointError) -> [UInt8] {
    if let knownContents { return knownContents }
    let contents = isWhole ? head : try source.contents(of: kind, atMost: limit)
    knownContents = contents
    return contents
  }

  /// The bytes of `range`, fewer where the source ends inside it.
  ///
  /// - Throws: `inputOutput` when the read fails.
  package func bytes(in range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    guard range.upperBound <= head.count || isWhole else {
      return try source.bytes(in: range)
    }
    return Array(head[range.clamped(to: 0..<head.count)])
  }
}
