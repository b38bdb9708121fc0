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
  /// - Throws: `inputOutput` when the file is missing, unreadable or not a regular file.
  public convenience init(path: String) throws(CheckpointError) {
    try self.init(descriptor: Syscalls.open(path, .read), path: path)
  }

  /// Takes over an open descriptor.
  ///
  /// - Throws: `inputOutput` when its status cannot be read or it is not a regular file.
  package init(descriptor: Int32, path: String) throws(CheckpointError) {
    self.path = path
    self.descriptor = descriptor
    do throws(CheckpointError) {
      status = try Syscalls.status(of: descriptor, path: path)
      guard status.isRegular else { throw .notRegular(path, status) }
    } catch {
      Syscalls.close(descriptor)
      throw error
    }
    byteCount = status.byteCount
  }

  deinit { Syscalls.close(descriptor) }

  /// Fills `buffer` with the bytes at `offset`; returns how many there were before the file's end.
  ///
  /// - Throws: `inputOutput` when the read fails.
  package func read(at offset: Int, into buffer: inout MutableRawSpan) throws(CheckpointError)
    -> Int
  {
    try Syscalls.read(descriptor, at: offset, into: &buffer, path: path)
  }

  /// Fills all of `buffer` with the bytes at `offset`.
  ///
  /// - Throws: `inputOutput` when the read fails or the file has become shorter, `truncated` when it
  ///   never had so many bytes.
  package func readAll(at offset: Int, into buffer: inout MutableRawSpan) throws(CheckpointError) {
    let wanted = buffer.byteCount
    let count = try read(at: offset, into: &buffer)
    guard count == wanted else {
      guard offset <= byteCount, wanted <= byteCount - offset else {
        throw CheckpointError(.truncated, "the file ends here", at: byteCount).framed(by: path)
      }
      throw CheckpointError(
        .inputOutput, "file shrank while being read: \(byteCount) bytes when it was opened",
        at: offset + count, hint: Self.changeHint
      ).framed(by: path)
    }
  }

  /// Makes sure that the file is what it was when it was opened, as far as its status tells.
  ///
  /// - Throws: `inputOutput` when its length or time of change differ.
  package func requireUnchanged() throws(CheckpointError) {
    let now = try Syscalls.status(of: descriptor, path: path)
    guard now.byteCount == status.byteCount, now.modified == status.modified else {
      throw CheckpointError(
        .inputOutput, "file changed while being read", hint: Self.changeHint
      ).framed(by: path)
    }
  }

  /// The bytes of `range`, fewer where the file ends inside it.
  ///
  /// - Throws: `inputOutput` when the read fails.
  package func bytes(in range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.clamped(to: 0..<byteCount).count)
    var span = bytes.mutableSpan
    // Safe: the mutable bytes of an array of `UInt8` may hold any values.
    var raw = unsafe span.mutableBytes
    let count = try read(at: range.lowerBound, into: &raw)
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}

/// Files that are opened and read in one go.
extension SourceFile {
  /// Opens the file at `path`.
  ///
  /// - Throws: `inputOutput` when it is missing, unreadable or not a regular file.
  package static func open(_ path: String) throws(CheckpointError) -> SourceFile {
    try SourceFile(path: path)
  }

  /// All bytes of the file, which should be `kind` (`a manifest`) and is small if it is.
  ///
  /// - Throws: `limitExceeded` for more than `limit` bytes, `inputOutput` when the read fails; both
  ///   with the file in their path.
  package func contents(of kind: String, atMost limit: Int) throws(CheckpointError) -> [UInt8] {
    guard byteCount <= limit else {
      throw CheckpointError(
        .limitExceeded, "this file has \(byteCount) bytes, \(kind) at most \(limit)"
      ).framed(by: path)
    }
    return try bytes(in: 0..<byteCount)
  }
}
