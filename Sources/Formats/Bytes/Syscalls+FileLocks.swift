internal import Glibc

/// Locks that programs take on files, to keep out of each other's way.
extension Syscalls {
  /// Whether a lock can be held by several at once.
  package enum Sharing: Sendable {
    /// Nobody else may have it.
    case exclusive
    /// Others may have it too, as long as they share.
    case shared
  }

  /// Locks an open file until its descriptor is closed or the process ends, however it ends
  /// (`flock`).
  ///
  /// - Returns: whether the lock was free; it is not waited for unless `waiting`.
  /// - Throws: ``SystemError``, ``SystemError/isUnsupported`` where the file system has no locks.
  package static func lock(
    _ descriptor: Int32, _ sharing: Sharing, waiting: Bool = false, path: String
  ) throws(SystemError) -> Bool {
    let operation = sharing == .exclusive ? LOCK_EX : LOCK_SH
    do {
      _ = try retrying("flock", path) {
        flock(descriptor, waiting ? operation : operation | LOCK_NB)
      }
      return true
    } catch {
      guard error.code == EWOULDBLOCK else { throw error }
      return false
    }
  }
}
