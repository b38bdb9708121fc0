internal import CCkptSystem
internal import Glibc

/// Calls that create, name and remove output files.
extension Syscalls {
  /// Creates an unnamed file in `directory` for reading and writing; `nil` if the file system or
  /// the kernel cannot (`open` with `O_TMPFILE`).
  ///
  /// Such a file disappears when its last descriptor is closed, however the program ends.
  /// - Throws: `inputOutput` if the directory is missing or not writable.
  package static func createUnnamed(
    in directory: String, permissions: UInt32 = 0o666
  ) throws(CheckpointError) -> Int32? {
    let flags = ckptconv_O_TMPFILE | O_DIRECTORY | O_RDWR | O_CLOEXEC
    do {
      // Safe: a path is passed as a copy that ends with a zero and outlives the call.
      return try retrying("open", directory) {
        unsafe Glibc.open(directory, flags, mode_t(permissions))
      }
    } catch {
      // Kernels and file systems that do not know the flag treat the call as opening a directory
      // for writing. In a directory that was just removed, ext4 gives EPERM; opening a file there
      // gives ENOENT.
      guard [EOPNOTSUPP, EISDIR, ENOENT, EINVAL, EPERM].contains(error.cause?.number) else {
        throw error
      }
      return nil
    }
  }

  /// Whether ``nameUnnamed(_:_:)`` can find the descriptor: some containers have no `/proc`.
  package static func canNameUnnamed(_ descriptor: Int32) -> Bool {
    (try? status(at: descriptorLink(descriptor))) != nil
  }

  /// Gives a file from ``createUnnamed(in:permissions:)`` an unused name (`linkat`).
  ///
  /// - Throws: `inputOutput`, with ``SystemCode/isPresent`` if the name is taken.
  package static func nameUnnamed(_ descriptor: Int32, _ path: String) throws(CheckpointError) {
    // Safe: paths are passed as copies that end with a zero and outlive the call.
    _ = try retrying("linkat", path) {
      unsafe linkat(
        AT_FDCWD, descriptorLink(descriptor), AT_FDCWD, path, AT_SYMLINK_FOLLOW)
    }
  }

  /// Renames a file and replaces the file with the new name (`rename`).
  package static func rename(_ path: String, replacing newPath: String) throws(CheckpointError) {
    // Safe: paths are passed as copies that end with a zero and outlive the call.
    _ = try retrying("rename", newPath) { unsafe Glibc.rename(path, newPath) }
  }

  /// Renames a file to an unused name (`link`, or `renameat2` on a file system without hard links).
  ///
  /// Some network file systems have neither. There the name is checked first, and another program's
  /// file is lost if it appears between the check and the rename.
  /// - Throws: `inputOutput`, with ``SystemCode/isPresent`` if the name is taken.
  package static func rename(_ path: String, toFree newPath: String) throws(CheckpointError) {
    do {
      // Safe: paths are passed as copies that end with a zero and outlive the call.
      _ = try retrying("link", newPath) { unsafe link(path, newPath) }
      try? remove(path)
      return
    } catch {
      guard isUnsupported(error.cause) else { throw error }
    }
    do {
      // Safe: paths are passed as copies that end with a zero and outlive the call.
      _ = try retrying("renameat2", newPath) {
        unsafe renameat2(AT_FDCWD, path, AT_FDCWD, newPath, ckptconv_RENAME_NOREPLACE)
      }
    } catch {
      guard isUnsupported(error.cause) else { throw error }
      guard try status(at: newPath, followingLinks: false) == nil else {
        throw CheckpointError(call: "rename", path: newPath, errno: EEXIST)
      }
      try rename(path, replacing: newPath)
    }
  }

  /// Removes a name (`unlink`).
  package static func remove(_ path: String) throws(CheckpointError) {
    // Safe: a path is passed as a copy that ends with a zero and outlives the call.
    _ = try retrying("unlink", path) { unsafe unlink(path) }
  }

  /// Sets the length of an empty file and, if possible, allocates its blocks (`fallocate`).
  ///
  /// - Throws: `inputOutput` if there is no space.
  package static func reserve(
    _ descriptor: Int32, byteCount: Int, path: String
  ) throws(CheckpointError) {
    guard byteCount > 0 else { return }
    do {
      _ = try retrying("fallocate", path) { fallocate(descriptor, 0, 0, byteCount) }
    } catch {
      guard isUnsupported(error.cause) else { throw error }
      _ = try retrying("ftruncate", path) { ftruncate(descriptor, off_t(byteCount)) }
    }
  }

  /// Waits until the bytes of a file are on the disk (`fdatasync`).
  package static func synchronize(_ descriptor: Int32, path: String) throws(CheckpointError) {
    _ = try retrying("fdatasync", path) { fdatasync(descriptor) }
  }

  /// Waits until the names in a directory are on the disk, if the file system supports it
  /// (`fsync`).
  package static func synchronize(directory: String) throws(CheckpointError) {
    let descriptor = try open(directory, .read)
    defer { close(descriptor) }
    do {
      _ = try retrying("fsync", directory) { fsync(descriptor) }
    } catch {
      guard isUnsupported(error.cause) else { throw error }
    }
  }

  /// Waits until all data of the file system of `path` is on the disk (`syncfs`).
  ///
  /// For many small files this is one wait instead of many.
  package static func synchronize(fileSystemOf path: String) throws(CheckpointError) {
    let descriptor = try open(path, .read)
    defer { close(descriptor) }
    _ = try retrying("syncfs", path) { syncfs(descriptor) }
  }

  /// Removes everything after the first `byteCount` bytes of a file (`ftruncate`).
  package static func truncate(
    _ descriptor: Int32, to byteCount: Int, path: String
  ) throws(CheckpointError) {
    _ = try retrying("ftruncate", path) { ftruncate(descriptor, off_t(byteCount)) }
  }

  /// Returns a second descriptor of the same open file (`fcntl` with `F_DUPFD_CLOEXEC`).
  package static func duplicate(_ descriptor: Int32, path: String) throws(CheckpointError) -> Int32
  {
    try retrying("fcntl", path) { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
  }

  private static func descriptorLink(_ descriptor: Int32) -> String {
    "/proc/self/fd/\(descriptor)"
  }

  /// Whether a file system lacks an operation; Linux prescribes `EPERM` for `link`.
  private static func isUnsupported(_ cause: SystemCode?) -> Bool {
    [EOPNOTSUPP, ENOSYS, EINVAL, EPERM].contains(cause?.number)
  }
}

/// Locks on files between programs.
extension Syscalls {
  /// The sharing of a lock.
  package enum Sharing: Sendable {
    /// Only one holder.
    case exclusive
    /// Several holders, if all of them share.
    case shared
  }

  /// Locks an open file until its descriptor is closed or the process ends (`flock`).
  ///
  /// - Returns: whether the lock was free. It waits only if `waiting`.
  /// - Throws: `inputOutput`, with ``SystemCode/isUnsupported`` if the file system has no locks.
  package static func lock(
    _ descriptor: Int32, _ sharing: Sharing, waiting: Bool = false, path: String
  ) throws(CheckpointError) -> Bool {
    let operation = sharing == .exclusive ? LOCK_EX : LOCK_SH
    do {
      _ = try retrying("flock", path) {
        flock(descriptor, waiting ? operation : operation | LOCK_NB)
      }
      return true
    } catch {
      guard error.cause?.number == EWOULDBLOCK else { throw error }
      return false
    }
  }
}
