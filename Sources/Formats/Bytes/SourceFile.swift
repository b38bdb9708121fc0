/// A file opened for reading at any offset, by any number of threads at once.
///
/// Nothing is mapped: a file that shrinks while it is read gives an error, not a signal.
public final class SourceFile: Sendable {
  /// The path as the user gave it.
  public let path: String
  /// The length in bytes when the file was opened.
  public let byteCount: Int
  /// What identifies the file's state, to notice a change while it is read.
  package let status: Syscalls.FileStatus
  private let descriptor: Int32
  private static let changeHint = "run again when nothing writes to it any more"

  /// Opens the file at `path`.
  ///
  /// - Throws: ``SystemError`` when the file is missing, unreadable or not a regular file.
  public convenience init(path: String) throws(SystemError) {
    try self.init(descriptor: Syscalls.open(path, .read), path: path)
  }

  /// Takes over an open descriptor.
  ///
  /// - Throws: ``SystemError`` when its status cannot be read or it is not a regular file.
  package init(descriptor: Int32, path: String) throws(SystemError) {
    self.path = path
    self.descriptor = descriptor
    do throws(SystemError) {
      status = try Syscalls.status(of: descriptor, path: path)
      guard status.isRegular else { throw SystemError.notRegular(path, status) }
    } catch {
      Syscalls.close(descriptor)
      throw error
    }
    byteCount = status.byteCount
  }

  deinit { Syscalls.close(descriptor) }

  /// Fills `buffer` with the bytes at `offset`; returns how many there were before the file's end.
  ///
  /// - Throws: ``SystemError`` when the read fails.
  package func read(at offset: Int, into buffer: inout MutableRawSpan) throws(SystemError) -> Int {
    try Syscalls.read(descriptor, at: offset, into: &buffer, path: path)
  }

  /// Fills all of `buffer` with the bytes at `offset`.
  ///
  /// - Throws: `inputOutput` when the read fails or the file has become shorter, `truncated` when it
  ///   never had so many bytes.
  package func readAll(at offset: Int, into buffer: inout MutableRawSpan) throws(FormatError) {
    let wanted = buffer.byteCount
    let count = try FormatError.wrapping { () throws(SystemError) in
      try read(at: offset, into: &buffer)
    }
    guard count == wanted else {
      guard offset <= byteCount, wanted <= byteCount - offset else {
        throw FormatError(.truncated, "the file ends here", at: byteCount).framed(by: path)
      }
      throw FormatError(
        .inputOutput, "file shrank while being read: \(byteCount) bytes when it was opened",
        at: offset + count, hint: Self.changeHint
      ).framed(by: path)
    }
  }

  /// Makes sure that the file is what it was when it was opened, as far as its status tells.
  ///
  /// - Throws: `inputOutput` when its length or time of change differ.
  package func requireUnchanged() throws(FormatError) {
    let now = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.status(of: descriptor, path: path)
    }
    guard now.byteCount == status.byteCount, now.modified == status.modified else {
      throw FormatError(
        .inputOutput, "file changed while being read", hint: Self.changeHint
      ).framed(by: path)
    }
  }

  /// The bytes of `range`, fewer where the file ends inside it.
  ///
  /// - Throws: `inputOutput` when the read fails.
  package func bytes(in range: Range<Int>) throws(FormatError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.clamped(to: 0..<byteCount).count)
    var span = bytes.mutableSpan
    // Safe: the mutable bytes of an array of `UInt8` may hold any values.
    var raw = unsafe span.mutableBytes
    let count = try FormatError.wrapping { () throws(SystemError) in
      try read(at: range.lowerBound, into: &raw)
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}
