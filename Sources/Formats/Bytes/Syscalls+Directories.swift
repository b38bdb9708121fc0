internal import Glibc

extension Syscalls {
  /// Makes a directory and those above it that are missing; returns those made, outermost first
  /// (`mkdir`).
  ///
  /// - Throws: ``SystemError`` when one cannot be made; those made before are gone again.
  package static func makeDirectories(_ path: String) throws(SystemError) -> [String] {
    var missing: [String] = []
    var remaining = path
    while try status(at: remaining)?.isDirectory != true {
      missing.insert(remaining, at: 0)
      while remaining.hasSuffix("/") { remaining.removeLast() }
      guard let slash = remaining.lastIndex(of: "/"), slash != remaining.startIndex else { break }
      remaining = String(remaining[..<slash])
    }
    var made: [String] = []
    for directory in missing {
      // Safe: the path is a valid C string for the duration of the call.
      guard unsafe mkdir(directory, 0o777) == 0 else {
        let code = errno
        // Another run may have made it since it was found missing; then it is that run's.
        if code == EEXIST, (try? status(at: directory))?.isDirectory == true { continue }
        let error = SystemError("mkdir", path: directory, code: code)
        removeEmptyDirectories(made)
        throw error
      }
      made.append(directory)
    }
    return made
  }

  /// The directory that relative paths begin in (`getcwd`).
  ///
  /// - Throws: ``SystemError`` when it has been removed.
  package static func currentDirectory() throws(SystemError) -> String {
    // Safe: without a buffer the call allocates one, which is copied and freed here.
    guard let path = unsafe getcwd(nil, 0) else {
      throw SystemError("getcwd", path: ".", code: errno)
    }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  /// Removes directories as far as they are empty, the last first (`rmdir`).
  package static func removeEmptyDirectories(_ paths: [String]) {
    // Safe: each path is a valid C string for the duration of the call.
    for path in paths.reversed() { _ = unsafe rmdir(path) }
  }
}

extension Syscalls {
  /// The names in a directory in the order of their bytes, without `.` and `..` (`opendir`,
  /// `readdir`).
  ///
  /// - Throws: ``SystemError`` when it cannot be read.
  package static func names(in directory: String) throws(SystemError) -> [String] {
    // Safe: the path is a valid C string for the duration of the call.
    guard let stream = unsafe opendir(directory) else {
      throw SystemError("opendir", path: directory, code: errno)
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
    guard errno == 0 else { throw SystemError("readdir", path: directory, code: errno) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
