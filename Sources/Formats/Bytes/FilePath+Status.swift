/// What the system says of what has a path.
extension FilePath {
  /// The status of the file there, or `nil` where there is none.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func status() throws(FormatError) -> Syscalls.FileStatus? {
    try FormatError.wrapping { () throws(SystemError) in try Syscalls.status(at: text) }
  }

  /// The size of the file there in bytes, 0 where there is none.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func byteCount() throws(FormatError) -> Int { try status()?.byteCount ?? 0 }

  /// The names of what is in this directory, in the order of their bytes.
  ///
  /// - Throws: `inputOutput` when it cannot be read.
  package func entryNames() throws(FormatError) -> [String] {
    try FormatError.wrapping { () throws(SystemError) in try Syscalls.names(in: text) }
  }

  /// Whether a user who gave the path means a directory: there is one, or the path ends in a slash.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func meansDirectory() throws(FormatError) -> Bool {
    try status()?.isDirectory == true || text.utf8.last == UInt8(ascii: "/")
  }

  /// Whether another path leads to the same file or directory.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func isSameFile(as other: String) throws(FormatError) -> Bool {
    guard let status = try status(), let second = try FilePath(other).status() else { return false }
    return status.inode == second.inode && status.device == second.device
  }

  /// The paths of those of `names` that are in `directory`.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package static func existing(
    _ names: [String], in directory: FilePath
  ) throws(FormatError) -> [String] {
    var paths: [String] = []
    for name in names {
      let path = directory.appending(name)
      if try path.status() != nil { paths.append(path.text) }
    }
    return paths
  }

  /// The name that the directory has where it lies, also if the path is `.` or ends in `..`.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func ownName() throws(FormatError) -> String {
    guard [".", ".."].contains(name) else { return name }
    var steps: [Substring.UTF8View] = []
    if !text.utf8.starts(with: "/".utf8) {
      let place = try FormatError.wrapping { () throws(SystemError) in
        try Syscalls.currentDirectory()
      }
      steps = place.utf8.split(separator: UInt8(ascii: "/"))
    }
    for step in text.utf8.split(separator: UInt8(ascii: "/")) where !step.elementsEqual(".".utf8) {
      if step.elementsEqual("..".utf8) { _ = steps.popLast() } else { steps.append(step) }
    }
    return steps.last.map { String(Substring($0)) } ?? "/"
  }
}
