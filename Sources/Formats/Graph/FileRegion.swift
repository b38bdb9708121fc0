public import Bytes

/// A stretch of a source file that holds tensor data: where it lies, not its bytes.
public struct FileRegion: Sendable {
  /// How the bytes of a region are stored in the file.
  public enum Encoding: Hashable, Sendable {
    /// As they are.
    case stored
    /// Compressed with deflate (RFC 1951).
    case deflated
  }

  /// The file that holds the bytes.
  public let file: SourceFile
  /// Where the stored bytes lie in ``file``, in bytes.
  public let range: Range<Int>
  /// How the bytes are stored.
  public let encoding: Encoding
  /// The length in bytes once decoded; equal to the length of ``range`` when stored.
  public let byteCount: Int
  /// The CRC-32 the decoded bytes must have, or `nil` where the container keeps none.
  public let crc32: UInt32?
  /// The name of the archive entry or tensor, for messages.
  public let name: String

  /// Describes a stretch of `file`.
  public init(
    file: SourceFile, range: Range<Int>, encoding: Encoding = .stored, byteCount: Int? = nil,
    crc32: UInt32? = nil, name: String
  ) {
    self.file = file
    self.range = range
    self.encoding = encoding
    self.byteCount = byteCount ?? range.count
    self.crc32 = crc32
    self.name = name
  }
}
