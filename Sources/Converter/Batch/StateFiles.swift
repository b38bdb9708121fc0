package import CkptBase

/// An empty file that stands for the right to do something, held until this object goes or the
/// process ends, however it ends.
package final class LockFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Opens the file, or makes it; nothing is locked yet.
  ///
  /// - Throws: `inputOutput` when that fails.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try Syscalls.open(path, .append)
  }

  deinit { Syscalls.close(descriptor) }

  /// Takes the lock; without `waiting`, only if it is free.
  ///
  /// - Returns: whether it was taken.
  /// - Throws: `inputOutput` when it cannot be told, as on file systems without locks.
  package func take(_ sharing: Syscalls.Sharing, waiting: Bool = false) throws(CheckpointError)
    -> Bool
  {
    try Syscalls.lock(descriptor, sharing, waiting: waiting, path: path)
  }
}

/// A file that grows at its end, piece by piece, and keeps what it was told to keep.
package final class AppendedFile: Sendable {
  /// Its path.
  package let path: String
  private let descriptor: Int32

  /// Opens the file, or makes an empty one.
  ///
  /// - Throws: `inputOutput` when that fails.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try Syscalls.open(path, .append)
  }

  deinit { Syscalls.close(descriptor) }

  /// Adds bytes and waits until they are on the disk.
  ///
  /// - Throws: `inputOutput` when that fails; the file may then end in a part of them.
  package func append(_ bytes: [UInt8]) throws(CheckpointError) {
    try Syscalls.append(descriptor, bytes.span.raw, path: path)
    try Syscalls.synchronize(descriptor, path: path)
  }

  /// Cuts off everything behind the first `byteCount` bytes.
  ///
  /// - Throws: `inputOutput` when that fails.
  package func truncate(to byteCount: Int) throws(CheckpointError) {
    try Syscalls.truncate(descriptor, to: byteCount, path: path)
  }
}
