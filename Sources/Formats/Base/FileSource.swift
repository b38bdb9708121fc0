/// A file opened for reading at any offset, by any number of threads at once.
///
/// Nothing is mapped: a file that shrinks while it is read gives an error, not a signal.
public final class FileSource: ByteSource {
  /// The path as the user gave it.
  public let path: String
  /// The path.
  public var name: String { path }
  /// The length in bytes when the file was opened.
  public let byteCount: Int
  /// What identifies the file's state, to notice a change while it is read.
  package let status: Syscalls.FileStatus
  private let descriptor: Int32

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
  public func read(
    at offset: Int, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    try Syscalls.read(descriptor, at: offset, into: &buffer, path: path)
  }

  /// Makes sure that the file is what it was when it was opened, as far as its status tells.
  ///
  /// - Throws: `inputOutput` when its length or time of change differ.
  public func requireUnchanged() throws(CheckpointError) {
    let now = try Syscalls.status(of: descriptor, path: path)
    guard now.byteCount == status.byteCount, now.modified == status.modified else {
      throw CheckpointError(
        .inputOutput, "file changed while being read", remedy: CheckpointError.changeRemedy
      ).framed(by: path)
    }
  }
}
