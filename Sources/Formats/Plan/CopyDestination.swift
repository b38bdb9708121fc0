public import Bytes

/// Where the bytes of a plan go.
public protocol CopyDestination: Sendable {
  /// Whether bytes can only be written one after the other, as to a pipe.
  ///
  /// Otherwise ``write(_:at:)`` is called from several threads, in any order.
  var isSequential: Bool { get }
  /// Whether a byte may be written again, which saves writes: fields that are computed at the end
  /// are then zero at first.
  var canOverwrite: Bool { get }
  /// A directory for temporary files that are too large for memory.
  var scratchDirectory: String { get }
  /// Called once before any bytes arrive with the number of bytes to come.
  ///
  /// - Throws: `inputOutput` when there is no room for them.
  func prepare(byteCount: Int) throws(FormatError)
  /// Takes `bytes`, which belong `offset` bytes from the start of the output.
  ///
  /// - Throws: `inputOutput` when they cannot be written.
  func write(_ bytes: RawSpan, at offset: Int) throws(FormatError)
}

extension CopyDestination {
  /// As files can.
  public var canOverwrite: Bool { true }
}
