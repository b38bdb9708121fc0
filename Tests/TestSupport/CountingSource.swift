package import CkptBase

/// A source that remembers the reads of another, to see that nothing is read twice.
package final class CountingSource: ByteSource {
  private let whole: any ByteSource
  private let ranges = Locked<[Range<Int>]>([])

  /// The name of the source.
  package var name: String { whole.name }
  /// The length of the source.
  package var byteCount: Int { whole.byteCount }
  /// The ranges that have been read, in their order.
  package var reads: [Range<Int>] { ranges.withLock(\.self) }

  /// Counts the reads of `whole`.
  package init(_ whole: any ByteSource) { self.whole = whole }

  /// Reads from the source.
  package func read(
    at offset: Int, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    let range = offset..<offset + buffer.byteCount
    ranges.withLock { $0.append(range) }
    return try whole.read(at: offset, into: &buffer)
  }

  /// Asks the source.
  package func requireUnchanged() throws(CheckpointError) { try whole.requireUnchanged() }
}
