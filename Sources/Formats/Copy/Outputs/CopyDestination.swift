package import CkptBase

/// A destination for the bytes of a plan.
package protocol CopyDestination: Sendable {
  /// Whether bytes can only be written in order, as to a pipe.
  ///
  /// Otherwise ``write(_:at:)`` is called on several threads, in any order.
  var isSequential: Bool { get }
  /// Whether a byte can be written twice. This saves writes: fields that are computed last are
  /// first written as zeros.
  var canOverwrite: Bool { get }
  /// The directory for temporary files that are too large for memory.
  var scratchDirectory: String { get }
  /// Prepares for `byteCount` bytes; called once before any bytes arrive.
  ///
  /// - Throws: `inputOutput` if there is no space.
  func prepare(byteCount: Int) throws(CheckpointError)
  /// Writes `bytes` at `offset` in the output.
  ///
  /// - Throws: `inputOutput` if that fails.
  func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError)
}

extension CopyDestination {
  /// True, as for files.
  package var canOverwrite: Bool { true }
}

/// An output that stores nothing.
///
/// Running a plan into it tests the sources of the plan.
///
/// Checksums are verified and pieces of assemblies are compared as in any other run.
package struct DiscardingOutput: CopyDestination {
  /// Creates the output.
  package init() {}

  /// False: the order does not matter.
  package var isSequential: Bool { false }

  /// The user's directory for temporary files.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing.
  package func prepare(byteCount: Int) throws(CheckpointError) {}

  /// Does nothing.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {}
}

/// An output that takes bytes only in order: a pipe, a terminal, standard output.
package final class StreamOutput: CopyDestination {
  private let descriptor: Int32
  private let name: String

  /// Creates an output to an open descriptor, which stays open; `name` is for messages.
  package init(descriptor: Int32 = 1, name: String = "standard output") {
    self.descriptor = descriptor
    self.name = name
  }

  /// True.
  package var isSequential: Bool { true }

  /// The user's directory for temporary files, because a stream has no directory.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing: a stream takes any number of bytes.
  package func prepare(byteCount: Int) {}

  /// Writes `bytes` after the previous ones.
  ///
  /// - Throws: `inputOutput` if the reader is gone.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    try Syscalls.append(descriptor, bytes, path: name)
  }
}
