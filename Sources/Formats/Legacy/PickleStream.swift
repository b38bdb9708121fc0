internal import CkptBase
internal import CkptGraph
internal import CkptPickle

/// Pickles in a source that follow each other, and whatever lies between them.
///
/// A pickle does not tell its length: as much is read as it turns out to have.
struct PickleStream {
  /// The number of bytes that are read first for a pickle beyond those that are known.
  private static let firstWindow = 256 << 10
  /// The factor by which the next read is larger when the last was too small.
  private static let growth = 4
  /// The smallest read, in bytes.
  private static let smallestWindow = 4 << 10

  /// A pickle that has been read.
  struct Pickle {
    /// The object, as an unpickler leaves it.
    var graph: TensorGraph
    /// The protocol that the pickle names; 0 where it names none.
    var version: Int
    /// The place of the pickle in the source.
    var range: Range<Int>
    /// Warnings about globals that were dropped.
    var warnings: [String]
  }

  /// The source.
  let source: any ByteSource
  /// The place of the next byte, in bytes from the start of the source.
  private(set) var position: Int
  /// The end of the stream in the source.
  let end: Int
  private let unsafeGlobals: Unpickler.UnsafeGlobals
  private var window: [UInt8] = []
  private var windowStart = 0

  /// The stream that a part of `source` is.
  init(
    _ source: any ByteSource, in range: Range<Int>, _ unsafeGlobals: Unpickler.UnsafeGlobals
  ) {
    self.source = source
    position = range.lowerBound
    end = range.upperBound
    self.unsafeGlobals = unsafeGlobals
  }

  /// The number of bytes that are left.
  var remaining: Int { end - position }

  /// Reads the next pickle; offsets in errors count from its start.
  ///
  /// - Throws: what ``Unpickler`` throws, `truncated` when the stream ends inside of it; `limitExceeded`
  ///   when it has more than ``Limits/pickleBytes``; `inputOutput` when the read fails.
  mutating func nextPickle() throws(CheckpointError) -> Pickle {
    let start = position
    var byteCount = max(1, windowStart + window.count - position)
    while true {
      let bytes = try bytes(atLeast: byteCount)
      var reader = ByteReader(bytes.span)
      do throws(CheckpointError) {
        var machine = Unpickler(unsafeGlobals: unsafeGlobals)
        let root = try machine.load(&reader)
        let (version, warnings) = (machine.pickleProtocol, machine.dropped.warnings)
        var graph = machine.finish()
        graph.root = root
        position += reader.position
        return Pickle(
          graph: graph, version: version, range: start..<position, warnings: warnings)
      } catch {
        guard error.code == .truncated, bytes.count < remaining else { throw error }
        guard bytes.count < Limits.pickleBytes else {
          throw CheckpointError(
            .limitExceeded, "the pickle has more than \(Limits.pickleBytes) bytes")
        }
        byteCount = min(max(bytes.count * Self.growth, Self.firstWindow), Limits.pickleBytes)
      }
    }
  }

  /// Reads a number of eight bytes, the least significant first.
  ///
  /// - Throws: `truncated` when fewer are left, `inputOutput` when the read fails.
  mutating func nextNumber() throws(CheckpointError) -> Int {
    let bytes = try bytes(atLeast: 8)
    var reader = ByteReader(bytes.span)
    let number = try reader.readInteger(as: Int64.self)
    position += reader.position
    return Int(number)
  }

  /// Steps over `count` bytes and returns their place.
  ///
  /// - Throws: `truncated` when fewer are left.
  mutating func skip(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count >= 0, count <= remaining else {
      throw CheckpointError(.truncated, "\(count) bytes are announced, \(remaining) are left")
    }
    defer { position += count }
    return position..<position + count
  }

  /// The next bytes, at least `count` where so many are left.
  private mutating func bytes(atLeast count: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    let wanted = min(count, remaining)
    if position < windowStart || position + wanted > windowStart + window.count {
      let byteCount = min(max(wanted, Self.smallestWindow), remaining)
      window = try source.bytes(in: position..<position + byteCount)
      windowStart = position
      guard window.count == byteCount else {
        throw CheckpointError(
          .inputOutput, "the file became shorter while it was read", at: position + window.count)
      }
    }
    return window[(position - windowStart)...]
  }
}
