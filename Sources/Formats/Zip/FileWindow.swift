internal import Bytes

/// A stretch of a file held in memory, so that neighbouring records share one read.
struct FileWindow {
  private let file: SourceFile
  private var range: Range<Int> = 0..<0
  private var bytes: [UInt8] = []

  /// A window that holds nothing yet.
  init(onto file: SourceFile) { self.file = file }

  /// Makes sure that `part` is held; if it is not, reads from its start up to `end`.
  ///
  /// - Throws: `truncated` when the file has shrunk below what is asked for.
  mutating func hold(
    _ part: Range<Int>, orReadUpTo end: @autoclosure () -> Int
  ) throws(FormatError) {
    guard part.lowerBound < range.lowerBound || part.upperBound > range.upperBound else { return }
    bytes = try file.bytes(in: part.lowerBound..<max(part.upperBound, end()))
    range = part.lowerBound..<part.lowerBound + bytes.count
    guard part.upperBound <= range.upperBound else {
      throw FormatError(
        .truncated, "the file became shorter while it was read", at: part.lowerBound)
    }
  }

  /// A cursor over a part of what is held, with offsets counted from the start of the file.
  @_lifetime(borrow self)
  func reader(over part: Range<Int>) -> ByteReader {
    let start = part.lowerBound - range.lowerBound
    return ByteReader(bytes.span.extracting(start..<start + part.count), base: part.lowerBound)
  }
}
