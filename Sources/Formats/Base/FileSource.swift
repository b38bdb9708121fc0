/// An open file that any number of threads can read at any offset.
///
/// It is not mapped: a file that shrinks while it is read gives an error, not a signal.
public final class FileSource: ByteSource {
  /// The path, as the user gave it.
  public let path: String
  /// The path.
  public var name: String { path }
  /// The length in bytes at the time of opening.
  public let byteCount: Int
  /// The status at the time of opening, to notice changes.
  package let status: Syscalls.FileStatus
  private let descriptor: Int32

  /// Opens the file at `path`.
  ///
  /// - Throws: `inputOutput` if the file is missing, unreadable or not a regular file.
  public convenience init(path: String) throws(CheckpointError) {
    try self.init(descriptor: Syscalls.open(path, .read), path: path)
  }

  /// Takes ownership of an open descriptor.
  ///
  /// - Throws: `inputOutput` if its status cannot be read or it is not a regular file.
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

  /// Fills `buffer` with the bytes at `offset`.
  ///
  /// Returns the number of bytes before the end.
  ///
  /// - Throws: `inputOutput` if the read fails.
  public func read(
    at offset: Int, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    try Syscalls.read(descriptor, at: offset, into: &buffer, path: path)
  }

  /// Checks that the status of the file has not changed since opening.
  ///
  /// - Throws: `inputOutput` if its length or modification time differ.
  public func requireUnchanged() throws(CheckpointError) {
    let now = try Syscalls.status(of: descriptor, path: path)
    guard now.byteCount == status.byteCount, now.modified == status.modified else {
      throw CheckpointError(
        .inputOutput, "the file changed while it was read", remedy: CheckpointError.changeRemedy
      ).framed(by: path)
    }
  }
}
