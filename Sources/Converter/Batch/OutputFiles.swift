internal import Bytes
internal import Converter

/// The files behind the outputs of an item: an output is a file, or a directory that appears as one.
enum OutputFiles {
  /// The files that are there now, those in directories included; links are not followed.
  ///
  /// - Throws: `inputOutput` when a directory cannot be read.
  static func existing(_ outputs: [String]) throws(FormatError) -> [String] {
    try FormatError.wrapping { () throws(SystemError) in
      var files: [String] = []
      var open = Array(outputs.reversed())
      while let path = open.popLast() {
        guard let status = try Syscalls.status(at: path, followingLinks: false) else { continue }
        if status.isDirectory {
          open += try Syscalls.names(in: path).reversed().map { FilePath(path).appending($0).text }
        } else {
          files.append(path)
        }
      }
      return files
    }
  }

  /// Removes some of these files, and directories among the outputs that are empty then.
  ///
  /// - Throws: `inputOutput` when a file cannot be removed.
  static func remove(_ files: [String], of outputs: [String]) throws(FormatError) {
    try FormatError.wrapping { () throws(SystemError) in
      var directories = Set(outputs)
      for path in files where try Syscalls.status(at: path, followingLinks: false) != nil {
        try Syscalls.remove(path)
        var inner = FilePath(path).directory
        while outputs.contains(where: { inner.text.hasPrefix($0 + "/") }) {
          directories.insert(inner.text)
          inner = inner.directory
        }
      }
      Syscalls.removeEmptyDirectories(directories.sorted { $0.utf8.count < $1.utf8.count })
    }
  }
}
