internal import CCkptSystem
internal import Glibc

/// Calls that make, name and remove output files.
extension Syscalls {
  /// Makes a file without a name in `directory`, for reading and writing; `nil` where the file
  /// system or the kernel cannot (`open` with `O_TMPFILE`).
  ///
  /// Nothing is left of such a file when its last descriptor is closed, however the program ends.
  /// - Throws: `inputOutput` when the directory is missing or not writable.
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
      // Kernels and file systems that do not know the flag see an open of a directory for writing.
      // In a directory that has just been removed ext4 says EPERM; to open a file there says ENOENT.
      guard [EOPNOTSUPP, EISDIR, ENOENT, EINVAL, EPERM].contains(error.cause?.number) else {
        throw error
      }
      return nil
    }
  }

  /// Whether ``nameUnnamed(_:_:)`` will find the descriptor: `/proc` is absent in some containers.
  package static func canNameUnnamed(_ descriptor: Int32) -> Bool {
    (try? status(at: descriptorLink(descriptor))) != nil
  }

  /// Gives a file made by ``createUnnamed(in:permissions:)`` a name that must be free (`linkat`).
  ///
  /// - Throws: `inputOutput`, ``SystemCode/isPresent`` when the name is taken.
  package static func nameUnnamed(_ descriptor: Int32, _ path: String) throws(CheckpointError) {
    // Safe: paths are passed as copies that end with a zero and outlive the call.
    _ = try retrying("linkat", path) {
      unsafe linkat(
        AT_FDCWD, descriptorLink(descriptor), AT_FDCWD, path, AT_SYMLINK_FOLLOW)
    }
  }

  /// Renames a file and replaces what has the new name (`rename`).
  package static func rename(_ path: String, replacing newPath: String) throws(CheckpointError) {
    // Safe: paths are passed as copies that end with a zero and outlive the call.
    _ = try retrying("rename", newPath) { unsafe Glibc.rename(path, newPath) }
  }

  /// Renames a file to a name that must be free (`link`, or where a file system has no hard links,
  /// `renameat2`).
  ///
  /// Some network file systems have neither. There, the name is looked up before it is taken, and
  /// somebody else's file of that name is lost if it appears in the moment between.
  /// - Throws: `inputOutput`, ``SystemCode/isPresent`` when the name is taken.
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

  /// Gives an empty file its length and, where the file system can, its blocks (`fallocate`).
  ///
  /// - Throws: `inputOutput` when there is no room.
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

  /// Waits until the names in a directory are on the disk, where the file system knows how to
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

  /// Waits until everything written to the file system that holds `path` is on the disk (`syncfs`).
  ///
  /// For many small files this is one wait instead of one for each.
  package static func synchronize(fileSystemOf path: String) throws(CheckpointError) {
    let descriptor = try open(path, .read)
    defer { close(descriptor) }
    _ = try retrying("syncfs", path) { syncfs(descriptor) }
  }

  /// Cuts a file off behind its first `byteCount` bytes (`ftruncate`).
  package static func truncate(
    _ descriptor: Int32, to byteCount: Int, path: String
  ) throws(CheckpointError) {
    _ = try retrying("ftruncate", path) { ftruncate(descriptor, off_t(byteCount)) }
  }

  /// A second descriptor of the same open file (`fcntl` with `F_DUPFD_CLOEXEC`).
  package static func duplicate(_ descriptor: Int32, path: String) throws(CheckpointError) -> Int32
  {
    try retrying("fcntl", path) { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
  }

  private static func descriptorLink(_ descriptor: Int32) -> String {
    "/proc/self/fd/\(descriptor)"
  }

  /// How file systems say that they lack an operation; `EPERM` is what Linux prescribes for `link`.
  private static func isUnsupported(_ cause: SystemCode?) -> Bool {
    [EOPNOTSUPP, ENOSYS, EINVAL, EPERM].contains(cause?.number)
  }
}

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
  /// - Throws: `inputOutput`, ``SystemCode/isUnsupported`` where the file system has no locks.
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
