/// Bytes of a known number that can be read at any offset, by any number of threads at once.
///
/// Readers of checkpoints know nothing else of the place that a checkpoint is in: a file, a part of
/// another source or memory.
public protocol ByteSource: AnyObject, Sendable {
  /// The name in messages, such as the path of a file.
  var name: String { get }
  /// The length in bytes when the source was opened.
  var byteCount: Int { get }
  /// The source that has the bytes, and the offset in it at which this one begins.
  ///
  /// Sources are the same bytes if their origins are; a source that is no part of another is its own.
  var origin: (source: any ByteSource, offset: Int) { get }

  /// Fills `buffer` with the bytes at `offset`; returns how many there were before the source's end.
  ///
  /// - Throws: `inputOutput` when the read fails.
  func read(at offset: Int, into buffer: inout MutableRawSpan) throws(CheckpointError) -> Int

  /// Makes sure that the bytes are what they were when the source was opened, as far as can be told.
  ///
  /// - Throws: `inputOutput` when they are not.
  func requireUnchanged() throws(CheckpointError)
}

extension ByteSource {
  /// The source itself.
  public var origin: (source: any ByteSource, offset: Int) { (self, 0) }

  /// Fills all of `buffer` with the bytes at `offset`.
  ///
  /// - Throws: `inputOutput` when the read fails or the source has become shorter, `truncated` when it
  ///   never had so many bytes.
  package func readAll(at offset: Int, into buffer: inout MutableRawSpan) throws(CheckpointError) {
    let wanted = buffer.byteCount
    let count = try read(at: offset, into: &buffer)
    guard count < wanted else { return }
    guard offset <= byteCount, wanted <= byteCount - offset else {
      throw CheckpointError(.truncated, "the file ends here", at: byteCount).framed(by: name)
    }
    throw CheckpointError(
      .inputOutput, "file shrank while being read: \(byteCount) bytes when it was opened",
      at: offset + count, remedy: CheckpointError.changeRemedy
    ).framed(by: name)
  }

  /// The bytes of `range`, fewer where the source ends inside it.
  ///
  /// - Throws: `inputOutput` when the read fails.
  package func bytes(in range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.clamped(to: 0..<byteCount).count)
    var span = bytes.mutableSpan
    // Safe: the mutable bytes of an array of `UInt8` may hold any values.
    var raw = unsafe span.mutableBytes
    let count = try read(at: range.lowerBound, into: &raw)
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// All bytes of the source, which should be `kind` (`a manifest`) and is small if it is.
  ///
  /// - Throws: `limitExceeded` for more than `limit` bytes, `inputOutput` when the read fails; both
  ///   with the source in their path.
  package func contents(of kind: String, atMost limit: Int) throws(CheckpointError) -> [UInt8] {
    guard byteCount <= limit else {
      throw CheckpointError(
        .limitExceeded, "this file has \(byteCount) bytes, \(kind) at most \(limit)"
      ).framed(by: name)
    }
    return try bytes(in: 0..<byteCount)
  }
}

extension CheckpointError {
  /// The remedy for a source that changed while it was read.
  static var changeRemedy: Remedy { "run again when nothing writes to it any more" }
}

/// A part of another source that is read as if it were all there is, such as an archive inside a
/// larger file.
///
/// Offsets count from the start of the slice, and its name says where that is.
public final class SliceSource: ByteSource {
  /// The name of the whole, with the offset of the slice.
  public var name: String { "\(whole.name) (from byte 0x\(String(start, radix: 16)))" }
  /// The length in bytes.
  public let byteCount: Int
  /// The source that the slice is a part of, or that one's origin.
  public var origin: (source: any ByteSource, offset: Int) {
    let (source, offset) = whole.origin
    return (source, offset + start)
  }

  private let whole: any ByteSource
  private let start: Int

  /// The bytes `range` of `whole`.
  ///
  /// - Throws: `truncated` when `whole` does not have them all.
  public init(_ range: Range<Int>, of whole: any ByteSource) throws(CheckpointError) {
    guard range.lowerBound >= 0, range.upperBound <= whole.byteCount else {
      throw CheckpointError(
        .truncated, "bytes \(range) are wanted of a file of \(whole.byteCount) bytes"
      ).framed(by: whole.name)
    }
    self.whole = whole
    start = range.lowerBound
    byteCount = range.count
  }

  /// Fills `buffer` with the bytes at `offset` as far as they are in the slice.
  ///
  /// - Throws: what the whole throws.
  public func read(
    at offset: Int, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    guard 0..<byteCount ~= offset else { return 0 }
    var part = buffer._mutatingExtracting(0..<min(buffer.byteCount, byteCount - offset))
    return try whole.read(at: start + offset, into: &part)
  }

  /// Makes sure that the whole is unchanged.
  ///
  /// - Throws: what the whole throws.
  public func requireUnchanged() throws(CheckpointError) { try whole.requireUnchanged() }
}

/// An array in memory, as the bytes that its elements consist of.
public final class MemorySource<Element: BitwiseCopyable & Sendable>: ByteSource {
  /// The name in messages.
  public let name: String
  /// The number of bytes.
  public var byteCount: Int { elements.count * MemoryLayout<Element>.stride }
  private let elements: [Element]

  /// A source of elements that have no padding.
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
    // Safe: elements without padding consist of initialized bytes only.
    let bytes = unsafe elements.span.bytes
    buffer.copy(bytes.extracting(offset..<offset + count), to: 0)
    return count
  }

  /// Does nothing: nobody else has the array.
  public func requireUnchanged() throws(CheckpointError) {}
}

extension MemorySource<UInt8> {
  /// A source of `bytes`, which messages call `name`.
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
