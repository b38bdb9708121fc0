package import Bytes

/// An empty file that stands for the right to do something, held until this object goes or the
/// process ends, however it ends.
package final class LockFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Opens the file, or makes it; nothing is locked yet.
  ///
  /// - Throws: `inputOutput` when that fails.
  package init(path: String) throws(FormatError) {
    self.path = path
    descriptor = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.open(path, .append)
    }
  }

  deinit { Syscalls.close(descriptor) }

  /// Takes the lock; without `waiting`, only if it is free.
  ///
  /// - Returns: whether it was taken.
  /// - Throws: `inputOutput` when it cannot be told, as on file systems without locks.
  package func take(_ sharing: Syscalls.Sharing, waiting: Bool = false) throws(FormatError) -> Bool
  {
    try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.lock(descriptor, sharing, waiting: waiting, path: path)
    }
  }
}
