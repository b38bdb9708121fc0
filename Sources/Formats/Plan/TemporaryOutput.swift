public import Bytes

/// An output that is read again and never gets a name: it is gone when nobody has it open.
public final class TemporaryOutput: CopyDestination {
  private let file: ScratchFile

  /// Makes an empty file in `directory`.
  ///
  /// - Throws: `inputOutput` when the directory is missing, full or not writable.
  public init(in directory: String) throws(FormatError) {
    file = try FormatError.wrapping { () throws(SystemError) in
      try ScratchFile(in: directory, label: directory + ": temporary file")
    }
    file.forgetName()
  }

  /// Never: bytes may be written anywhere in any order.
  public var isSequential: Bool { false }

  /// The directory that the file is in.
  public var scratchDirectory: String { file.scratchDirectory }

  /// Makes room for `byteCount` bytes.
  ///
  /// - Throws: `inputOutput` when there is not enough.
  public func prepare(byteCount: Int) throws(FormatError) {
    try file.prepare(byteCount: byteCount)
  }

  /// Writes `bytes` at `offset`.
  ///
  /// - Throws: `inputOutput` when that fails.
  public func write(_ bytes: RawSpan, at offset: Int) throws(FormatError) {
    try file.write(bytes, at: offset)
  }

  /// The file for reading, once everything is written; it outlives this object.
  ///
  /// - Throws: `inputOutput` when the system is short of descriptors.
  public func makeSource() throws(FormatError) -> SourceFile {
    try FormatError.wrapping { () throws(SystemError) in try file.makeSource() }
  }
}
