/// Bytes of a known length that any number of threads can read at any offset.
///
/// Readers of checkpoints know nothing else about the location of a checkpoint: a file, a part of
/// another source, or memory.
public protocol ByteSource: AnyObject, Sendable {
  /// The name in messages, such as the path of a file.
  var name: String { get }
  /// The length in bytes at the time of opening.
  var byteCount: Int { get }
  /// The source with the bytes, and the offset in it where this one begins.
  ///
  /// Two sources have the same bytes if their origins are equal. A source that is not a part of
  /// another is its own origin.
  var origin: (source: any ByteSource, offset: Int) { get }

  /// Fills `buffer` with the bytes at `offset`. Returns the number of bytes before the end.
  ///
  /// - Throws: `inputOutput` if the read fails.
  func read(at offset: Int, into buffer: inout MutableRawSpan) throws(CheckpointError) -> Int

  /// Checks that the bytes have not changed since opening, as far as that is possible.
  ///
  /// - Throws: `inputOutput` if they have.
  func requireUnchanged() throws(CheckpointError)
}

extension ByteSource {
  /// The source itself.
  public var origin: (source: any ByteSource, offset: Int) { (self, 0) }

  /// Fills all of `buffer` with the bytes at `offset`.
  ///
  /// - Throws: `inputOutput` if the read fails or the source has become shorter, `truncated` if it
  ///   never had so many bytes.
  package func readAll(at offset: Int, into buffer: inout MutableRawSpan) throws(CheckpointError) {
    let wanted = buffer.byteCount
    let count = try read(at: offset, into: &buffer)
    guard count < wanted else { return }
    guard offset <= byteCount, wanted <= byteCount - offset else {
      throw CheckpointError(.truncated, "the file ends here", at: byteCount).framed(by: name)
    }
    throw CheckpointError(
      .inputOutput,
      "the file shrank while it was read: it had \(byteCount) bytes when it was opened",
      at: offset + count, remedy: CheckpointError.changeRemedy
    ).framed(by: name)
  }

  /// Returns the bytes of `range`, or fewer if the source ends inside it.
  ///
  /// - Throws: `inputOutput` if the read fails.
  package func bytes(in range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.clamped(to: 0..<byteCount).count)
    var span = bytes.mutableSpan
    // Safe: the mutable bytes of an array of `UInt8` may hold any values.
    var raw = unsafe span.mutableBytes
    let count = try read(at: range.lowerBound, into: &raw)
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Returns all bytes of a source that should be `kind`, such as `a manifest`.
  ///
  /// - Throws: `limitExceeded` for more than `limit` bytes, `inputOutput` if the read fails; both
  ///   with the source in their path.
  package func contents(of kind: String, atMost limit: Int) throws(CheckpointError) -> [UInt8] {
    guard byteCount <= limit else {
      throw CheckpointError(
        .limitExceeded, "this file has \(byteCount) bytes, but the limit for \(kind) is \(limit)"
      ).framed(by: name)
    }
    return try bytes(in: 0..<byteCount)
  }
}

extension CheckpointError {
  /// The remedy for a source that changed while it was read.
  static var changeRemedy: Remedy { "run again when no program writes to it" }
}

/// A part of another source, such as an archive inside a larger file.
///
/// Offsets count from the start of the slice. Its name contains the position of the slice.
public final class SliceSource: ByteSource {
  /// The name of the whole source, with the offset of the slice.
  public var name: String { "\(whole.name) (from byte 0x\(String(start, radix: 16)))" }
  /// The length in bytes.
  public let byteCount: Int
  /// The origin of the whole source, with the offset of the slice.
  public var origin: (source: any ByteSource, offset: Int) {
    let (source, offset) = whole.origin
    return (source, offset + start)
  }

  private let whole: any ByteSource
  private let start: Int

  /// Creates a slice with the bytes `range` of `whole`.
  ///
  /// - Throws: `truncated` if `whole` does not have all of them.
  public init(_ range: Range<Int>, of whole: any ByteSource) throws(CheckpointError) {
    guard range.lowerBound >= 0, range.upperBound <= whole.byteCount else {
      throw CheckpointError(
        .truncated, "bytes \(range) are outside of a file of \(whole.byteCount) bytes"
      ).framed(by: whole.name)
    }
    self.whole = whole
    start = range.lowerBound
    byteCount = range.count
  }

  /// Fills `buffer` with the bytes at `offset`, up to the end of the slice.
  ///
  /// - Throws: the errors of the whole source.
  public func read(
    at offset: Int, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    guard 0..<byteCount ~= offset else { return 0 }
    var part = buffer._mutatingExtracting(0..<min(buffer.byteCount, byteCount - offset))
    return try whole.read(at: start + offset, into: &part)
  }

  /// Checks that the whole source is unchanged.
  ///
  /// - Throws: the errors of the whole source.
  public func requireUnchanged() throws(CheckpointError) { try whole.requireUnchanged() }
}

/// An array in memory, read as the bytes of its elements.
public final class MemorySource<Element: BitwiseCopyable & Sendable>: ByteSource {
  /// The name in messages.
  public let name: String
  /// The number of bytes.
  public var byteCount: Int { elements.count * MemoryLayout<Element>.stride }
  private let elements: [Element]

  /// Creates a source of elements without padding.
  package init(elements: [Element], name: String) {
    self.elements = elements
    self.name = name
  }

  /// Copies the bytes at `offset` into `buffer`.
  public func read(
    at offset: Int, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    guard 0..<byteCount ~= offset else { return 0 }
    let count = min(buffer.byteCount, byteCount - offset)
    let elements = elements
    // Safe: elements without padding have only initialized bytes.
    let bytes = unsafe elements.span.bytes
    buffer.copy(bytes.extracting(offset..<offset + count), to: 0)
    return count
  }

  /// Does nothing, because nobody else has the array.
  public func requireUnchanged() throws(CheckpointError) {}
}

extension MemorySource<UInt8> {
  /// Creates a source of `bytes`, which messages call `name`.
  public convenience init(_ bytes: [UInt8], name: String) {
    self.init(elements: bytes, name: name)
  }
}

/// A source that tells how much of it has been read, and reads no more when it is told to stop.
package final class WatchedSource: ByteSource {
  /// The name of the source that is watched.
  package var name: String { source.name }
  /// The length of the source that is watched.
  package var byteCount: Int { source.byteCount }
  /// The origin of the source that is watched.
  package var origin: (source: any ByteSource, offset: Int) { source.origin }

  private let source: any ByteSource
  private let cancellation: Cancellation?
  private let progress: @Sendable (_ done: Int, _ total: Int) -> Void
  private let done = Locked(0)

  /// Watches `source`; `progress` is told the bytes read, from any thread but never twice at once.
  package init(
    _ source: any ByteSource, cancellation: Cancellation?,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) {
    self.source = source
    self.cancellation = cancellation
    self.progress = progress
  }

  /// Reads from the source that is watched.
  ///
  /// - Throws: `cancelled` when it is told to stop, and what the source throws.
  package func read(
    at offset: Int, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    try cancellation?.check()
    let count = try source.read(at: offset, into: &buffer)
    done.withLock { done in
      // Some bytes may be read twice.
      done = min(done.addingClamped(count), byteCount)
      progress(done, byteCount)
    }
    return count
  }

  /// Makes sure that the source is unchanged.
  ///
  /// - Throws: what the source throws.
  package func requireUnchanged() throws(CheckpointError) { try source.requireUnchanged() }
}
