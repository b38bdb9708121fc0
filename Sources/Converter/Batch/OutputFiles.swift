internal import Bytes

/// The files behind the outputs of an item: an output is a file, or a directory that appears as one.
enum OutputFiles {
  /// The files that are there now, those in directories included; links are not followed.
  ///
  /// - Throws: `inputOutput` when a directory cannot be read.
  static func existing(_ outputs: [String]) throws(FormatError) -> [String] {
    try FormatError.wrapping { () throws(SystemError) in try walk(outputs).files }
  }

  /// Removes some of these files, and directories among the outputs that are empty then.
  ///
  /// - Throws: `inputOutput` when a file cannot be removed.
  static func remove(_ files: [String], of outputs: [String]) throws(FormatError) {
    try FormatError.wrapping { () throws(SystemError) in
      for path in files where try Syscalls.status(at: path, followingLinks: false) != nil {
        try Syscalls.remove(path)
      }
      Syscalls.removeEmptyDirectories(try walk(outputs).directories)
    }
  }

  /// All that is there, each directory before what is in it.
  private static func walk(
    _ outputs: [String]
  ) throws(SystemError) -> (files: [String], directories: [String]) {
    var (files, directories): ([String], [String]) = ([], [])
    var open = Array(outputs.reversed())
    while let path = open.popLast() {
      guard let status = try Syscalls.status(at: path, followingLinks: false) else { continue }
      if status.isDirectory {
        directories.append(path)
        open += try Syscalls.names(in: path).reversed().map { FilePath(path).appending($0).text }
      } else {
        files.append(path)
      }
    }
    return (files, directories)
  }
}
