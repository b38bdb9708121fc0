package import CkptBase

/// An advisory lock on a file, released when the object or the process ends.
package final class LockFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Opens or creates the file without locking it.
  ///
  /// - Throws: `inputOutput` if that fails.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try Syscalls.open(path, .append)
  }

  deinit { Syscalls.close(descriptor) }

  /// Takes the lock.
  ///
  /// Without `waiting`, only if it is free.
  ///
  /// - Returns: whether it was taken.
  /// - Throws: `inputOutput` if locking fails, as on file systems without locks.
  package func take(_ sharing: Syscalls.Sharing, waiting: Bool = false) throws(CheckpointError)
    -> Bool
  {
    try Syscalls.lock(descriptor, sharing, waiting: waiting, path: path)
  }
}

/// An append-only file whose additions are durable.
package final class AppendedFile: Sendable {
  /// The path.
  package let path: String
  private let descriptor: Int32

  /// Opens the file, or creates an empty one.
  ///
  /// - Throws: `inputOutput` if that fails.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try Syscalls.open(path, .append)
  }

  deinit { Syscalls.close(descriptor) }

  /// Appends bytes and waits until they are on the disk.
  ///
  /// - Throws: `inputOutput` if that fails. Then the file can end with a part of them.
  package func append(_ bytes: [UInt8]) throws(CheckpointError) {
    try Syscalls.append(descriptor, bytes.span.raw, path: path)
    try Syscalls.synchronize(descriptor, path: path)
  }

  /// Removes everything after the first `byteCount` bytes.
  ///
  /// - Throws: `inputOutput` if that fails.
  package func truncate(to byteCount: Int) throws(CheckpointError) {
    try Syscalls.truncate(descriptor, to: byteCount, path: path)
  }
}
