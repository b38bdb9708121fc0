public import Bytes

/// An output that takes bytes only one after the other: a pipe, a terminal, standard output.
public final class StreamOutput: CopyDestination {
  private let descriptor: Int32
  private let name: String

  /// An output to an open descriptor, which stays open; `name` is for messages.
  public init(descriptor: Int32 = 1, name: String = "standard output") {
    self.descriptor = descriptor
    self.name = name
  }

  /// Always.
  public var isSequential: Bool { true }

  /// A stream lies nowhere, so this is the user's directory for temporary files.
  public var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing: a stream has room for anything.
  public func prepare(byteCount: Int) {}

  /// Writes `bytes` after those before.
  ///
  /// - Throws: `inputOutput` when the reader has gone.
  public func write(_ bytes: RawSpan, at offset: Int) throws(FormatError) {
    try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.append(descriptor, bytes, path: name)
    }
  }
}
