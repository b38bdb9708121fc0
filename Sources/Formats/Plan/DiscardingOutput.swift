public import Bytes

/// An output that keeps nothing: a plan run into it is a test of what the plan is made from.
///
/// Checksums are verified and pieces of assemblies compared as in any other run.
public struct DiscardingOutput: CopyDestination {
  /// An output that takes any number of bytes.
  public init() {}

  /// Never: nothing depends on the order.
  public var isSequential: Bool { false }

  /// The user's directory for temporary files.
  public var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing.
  public func prepare(byteCount: Int) throws(FormatError) {}

  /// Does nothing.
  public func write(_ bytes: RawSpan, at offset: Int) throws(FormatError) {}
}
