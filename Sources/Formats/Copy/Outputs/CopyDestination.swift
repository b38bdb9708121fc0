package import CkptBase

/// Where the bytes of a plan go.
package protocol CopyDestination: Sendable {
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
  func prepare(byteCount: Int) throws(CheckpointError)
  /// Takes `bytes`, which belong `offset` bytes from the start of the output.
  ///
  /// - Throws: `inputOutput` when they cannot be written.
  func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError)
}

extension CopyDestination {
  /// As files can.
  package var canOverwrite: Bool { true }
}

/// An output that keeps nothing: a plan run into it is a test of what the plan is made from.
///
/// Checksums are verified and pieces of assemblies compared as in any other run.
package struct DiscardingOutput: CopyDestination {
  /// An output that takes any number of bytes.
  package init() {}

  /// Never: nothing depends on the order.
  package var isSequential: Bool { false }

  /// The user's directory for temporary files.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing.
  package func prepare(byteCount: Int) throws(CheckpointError) {}

  /// Does nothing.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {}
}

/// An output that takes bytes only one after the other: a pipe, a terminal, standard output.
package final class StreamOutput: CopyDestination {
  private let descriptor: Int32
  private let name: String

  /// An output to an open descriptor, which stays open; `name` is for messages.
  package init(descriptor: Int32 = 1, name: String = "standard output") {
    self.descriptor = descriptor
    self.name = name
  }

  /// Always.
  package var isSequential: Bool { true }

  /// A stream lies nowhere, so this is the user's directory for temporary files.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing: a stream has room for anything.
  package func prepare(byteCount: Int) {}

  /// Writes `bytes` after those before.
  ///
  /// - Throws: `inputOutput` when the reader has gone.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    try Syscalls.append(descriptor, bytes, path: name)
  }
}
