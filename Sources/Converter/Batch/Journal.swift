internal import Bytes
internal import Plan

/// A file of sealed lines that is only ever added to; each addition is on the disk when it returns.
struct Journal: Sendable {
  /// What a file holds.
  struct Contents: Sendable {
    /// The objects of the lines that are whole, in order.
    var objects: [[UInt8]] = []
    /// How many lines are neither whole nor the last: somebody edited them.
    var damagedCount = 0
    /// Where the last whole line ends: what follows is what a crash left of one.
    var wholeByteCount = 0
  }

  private let file: AppendedFile

  /// Opens a journal, or begins one; what a crash left of a last line is cut off.
  ///
  /// - Throws: `inputOutput` when that fails, `malformed` for a file that is no journal.
  init(path: String) throws(FormatError) {
    let contents = try Self.contents(of: path)
    file = try AppendedFile(path: path)
    if let contents { try file.truncate(to: contents.wholeByteCount) }
  }

  /// Adds lines and waits until they are on the disk.
  ///
  /// - Throws: `inputOutput` when that fails.
  func append(_ lines: some Sequence<[UInt8]>) throws(FormatError) {
    try file.append(Array(lines.joined()))
  }

  /// What the file holds; `nil` when there is none.
  ///
  /// - Throws: `inputOutput` when it cannot be read, `malformed` when it is no journal.
  static func contents(of path: String) throws(FormatError) -> Contents? {
    guard try FilePath(path).status() != nil else { return nil }
    let file = try SourceFile.open(path)
    let contents = contents(in: try file.bytes(in: 0..<file.byteCount))
    guard !contents.objects.isEmpty || contents.damagedCount == 0 else {
      throw FormatError(
        .malformed, "this is not a journal of ckptconv",
        hint: "move it away, or write to another directory with -o"
      ).framed(by: path)
    }
    return contents
  }

  /// What the bytes of a journal hold.
  static func contents(in bytes: [UInt8]) -> Contents {
    var contents = Contents()
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      if let object = SealedLine.open(bytes[start..<end]) {
        contents.objects.append(object)
      } else {
        contents.damagedCount += 1
      }
      start = end + 1
      contents.wholeByteCount = start
    }
    return contents
  }
}
