package import CkptBase

/// The end of a source, read once, with the position of the records that close an archive.
package struct ArchiveEnd: Sendable {
  /// The source.
  package let source: any ByteSource
  /// The last bytes of the source.
  let window: FileWindow
  /// The offset of the last end record, or `nil` if there is none near the end.
  let recordOffset: Int?

  /// Whether there is an end record.
  ///
  /// Without one the source is not an archive, or is truncated.
  package var isPresent: Bool { recordOffset != nil }

  /// Reads the end of `source`, unless all of its bytes are known.
  ///
  /// - Throws: `inputOutput` if the read fails.
  package init(of source: any ByteSource, knowing bytes: [UInt8]? = nil) throws(CheckpointError) {
    self.source = source
    let start = max(0, source.byteCount - EndOfCentralDirectory.searchByteCount)
    let tail: [UInt8]
    if let bytes {
      tail = Array(bytes.dropFirst(start))
    } else {
      tail = try source.bytes(in: start..<source.byteCount)
    }
    recordOffset = EndOfCentralDirectory.offset(in: tail).map { start + $0 }
    window = FileWindow(onto: source, holding: tail, from: start)
  }

  /// Returns the bytes of `range`, from memory if possible.
  ///
  /// - Throws: `inputOutput` if the read fails.
  func bytes(in range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    if let bytes = window.held(range) { return bytes }
    return try source.bytes(in: range)
  }
}
