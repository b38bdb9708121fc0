internal import CkptBase

/// The files of an item's outputs.
///
/// An output is a file or a directory.
enum OutputFiles {
  /// Returns the existing files, including those in directories.
  ///
  /// Links are not followed.
  ///
  /// - Throws: `inputOutput` if a directory cannot be read.
  static func existing(_ outputs: [String]) throws(CheckpointError) -> [String] {
    try walk(outputs).files
  }

  /// Removes some of these files, and output directories that become empty.
  ///
  /// - Throws: `inputOutput` if a file cannot be removed.
  static func remove(_ files: [String], of outputs: [String]) throws(CheckpointError) {
    for path in files where try Syscalls.status(at: path, followingLinks: false) != nil {
      try Syscalls.remove(path)
    }
    Syscalls.removeEmptyDirectories(try walk(outputs).directories)
  }

  /// Returns all existing entries, each directory before its contents.
  private static func walk(
    _ outputs: [String]
  ) throws(CheckpointError) -> (files: [String], directories: [String]) {
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

/// Removes the input of an item after it was converted and verified.
enum SourceDeletion {
  /// Removes the files that were read, and their directory if it becomes empty.
  ///
  /// - Returns: the error that prevented it.
  static func carryOut(_ item: BatchItem) -> CheckpointError? {
    guard let work = try? item.work.get() else { return nil }
    // An output with the name of an input has replaced it.
    let kept = Set(names: work.writes)
    do throws(CheckpointError) {
      for path in work.reads where !kept.contains(path) {
        if try Syscalls.status(at: path, followingLinks: false) != nil {
          try Syscalls.remove(path)
        }
      }
    } catch {
      return error
    }
    Syscalls.removeEmptyDirectories([item.input])
    return nil
  }
}
