internal import Glibc

extension Syscalls {
  /// How often directories are made again that another run has removed.
  private static let attempts = 16

  /// Makes a directory and those above it that are missing; returns those made, outermost first
  /// (`mkdir`).
  ///
  /// - Throws: `inputOutput` when one cannot be made; those made before are gone again.
  package static func makeDirectories(_ path: String) throws(CheckpointError) -> [String] {
    var made: [String] = []
    var attempt = 1
    while true {
      do throws(CheckpointError) {
        try makeMissing(path, &made)
        return made
      } catch {
        // One that was there may be gone: a run that made it has failed and cleaned up.
        guard error.cause?.isMissing == true, attempt < attempts else {
          removeEmptyDirectories(made)
          throw error
        }
        attempt += 1
      }
    }
  }

  private static func makeMissing(_ path: String, _ made: inout [String]) throws(CheckpointError) {
    var missing: [String] = []
    var remaining = path
    while try status(at: remaining)?.isDirectory != true {
      missing.append(remaining)
      let parent = FilePath(remaining).directory.text
      guard parent != ".", parent != "/" else { break }
      remaining = parent
    }
    for directory in missing.reversed() {
      do throws(CheckpointError) {
        // Safe: the path is a valid C string for the duration of the call.
        _ = try retrying("mkdir", directory) { unsafe mkdir(directory, 0o777) }
        made.append(directory)
      } catch {
        // Another run may have made it since it was found missing; then it is that run's.
        guard error.cause?.isPresent == true else { throw error }
        // That run may have failed meanwhile and taken it back; then the caller tries again.
        guard var found = try status(at: directory, followingLinks: false) else {
          throw .missing(directory)
        }
        if found.isSymbolicLink { found = try status(at: directory) ?? found }
        guard found.isDirectory else { throw error }
      }
    }
  }

  /// The directory that relative paths begin in (`getcwd`).
  ///
  /// - Throws: `inputOutput` when it has been removed.
  package static func currentDirectory() throws(CheckpointError) -> String {
    // Safe: without a buffer the call allocates one, which is copied and freed here.
    guard let path = unsafe getcwd(nil, 0) else {
      throw CheckpointError(call: "getcwd", path: ".", errno: errno)
    }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  /// Removes directories as far as they are empty, the last first (`rmdir`).
  ///
  /// - Returns: those that are still there.
  @discardableResult
  package static func removeEmptyDirectories(_ paths: [String]) -> [String] {
    var left: [String] = []
    for path in paths.reversed() {
      // Safe: the path is a valid C string for the duration of the call.
      if unsafe rmdir(path) != 0, errno != ENOENT { left.append(path) }
    }
    return left.reversed()
  }
}

extension Syscalls {
  /// The names in a directory in the order of their bytes, without `.` and `..` (`opendir`,
  /// `readdir`).
  ///
  /// - Throws: `inputOutput` when it cannot be read.
  package static func names(in directory: String) throws(CheckpointError) -> [String] {
    // Safe: the path is a valid C string for the duration of the call.
    guard let stream = unsafe opendir(directory) else {
      throw CheckpointError(call: "opendir", path: directory, errno: errno)
    }
    // Safe: the stream is open until here and is not used afterwards.
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    errno = 0
    // Safe: the entry is valid until the next call, and its name ends with a zero byte.
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw CheckpointError(call: "readdir", path: directory, errno: errno) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
