internal import Glibc

extension Syscalls {
  /// The maximum number of attempts to create directories that another run removes.
  private static let attempts = 16

  /// Creates a directory and its missing parents.
  ///
  /// Returns those created, outermost first (`mkdir`).
  ///
  /// - Throws: `inputOutput` if one cannot be created; those created before are removed.
  package static func makeDirectories(_ path: String) throws(CheckpointError) -> [String] {
    var made: [String] = []
    var attempt = 1
    while true {
      do throws(CheckpointError) {
        try makeMissing(path, &made)
        return made
      } catch {
        // A parent can disappear: the run that created it failed and removed it.
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
        // Another run can have created it in the meantime; then it belongs to that run.
        guard error.cause?.isPresent == true else { throw error }
        // That run can have failed and removed it; then the caller tries again.
        guard var found = try status(at: directory, followingLinks: false) else {
          throw .missing(directory)
        }
        if found.isSymbolicLink { found = try status(at: directory) ?? found }
        guard found.isDirectory else { throw error }
      }
    }
  }

  /// Returns the current directory (`getcwd`).
  ///
  /// - Throws: `inputOutput` if it was removed.
  package static func currentDirectory() throws(CheckpointError) -> String {
    // Safe: without a buffer the call allocates one, which is copied and freed here.
    guard let path = unsafe getcwd(nil, 0) else {
      throw CheckpointError(call: "getcwd", path: ".", errno: errno)
    }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  /// Removes empty directories, the last one first (`rmdir`).
  ///
  /// - Returns: those that remain.
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
  /// Returns the names in a directory, sorted by bytes, without `.` and `..` (`opendir`,
  /// `readdir`).
  ///
  /// - Throws: `inputOutput` if it cannot be read, or a name is not UTF-8: no path leads to that file.
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
      let found = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        let characters = unsafe UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self)
        return unsafe (
          text: String(validatingCString: characters), shown: String(cString: characters)
        )
      }
      guard let name = found.text else {
        throw CheckpointError(
          .inputOutput, "no path leads to '\(found.shown)' in this directory", remedy: .renaming
        ).framed(by: directory)
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw CheckpointError(call: "readdir", path: directory, errno: errno) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
