/// A path as text.
///
/// These operations do not access the file system.
///
/// A path is bytes: a name can begin with a character that combines with the slash before it. So
/// slashes and dots are searched among the bytes.
package struct FilePath: Hashable, Sendable {
  /// The path as given.
  package let text: String

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  /// Creates a path.
  package init(_ text: String) { self.text = text }

  /// The path without trailing slashes.
  package var trimmed: FilePath {
    guard let last = text.utf8.lastIndex(where: { $0 != Self.slash }) else {
      return FilePath(String(text.prefix(1)))
    }
    return FilePath(String(text[..<text.utf8.index(after: last)]))
  }

  /// The last component, without trailing slashes.
  package var name: String {
    let text = trimmed.text
    guard let slash = text.utf8.lastIndex(of: Self.slash) else { return text }
    let name = text[text.utf8.index(after: slash)...]
    return name.isEmpty ? text : String(name)
  }

  /// The directory of the file with this path: `.` for a name alone.
  package var directory: FilePath {
    let text = trimmed.text
    guard let slash = text.utf8.lastIndex(of: Self.slash) else { return FilePath(".") }
    return FilePath(slash == text.startIndex ? "/" : String(text[..<slash]))
  }

  /// Returns the path of a file in this directory.
  package func appending(_ name: String) -> FilePath {
    if text == "." { return FilePath(name) }
    return FilePath(text.utf8.last == Self.slash ? text + name : text + "/" + name)
  }

  /// Returns the name with another extension.
  package func name(withExtension new: String) -> String {
    let name = name
    guard let dot = name.utf8.lastIndex(of: Self.dot), dot != name.startIndex else {
      return "\(name).\(new)"
    }
    return "\(name[..<dot]).\(new)"
  }
}

extension FilePath {
  /// Whether the bytes are equal.
  package static func == (left: FilePath, right: FilePath) -> Bool {
    ExactString(left.text) == ExactString(right.text)
  }

  /// Hashes the bytes.
  package func hash(into hasher: inout Hasher) { ExactString(text).hash(into: &hasher) }
}

/// Operations that access the file system.
extension FilePath {
  /// Returns the status of the file at the path, or `nil` if there is none.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package func status() throws(CheckpointError) -> Syscalls.FileStatus? {
    try Syscalls.status(at: text)
  }

  /// Returns the size of the file in bytes, or 0 if there is none.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package func byteCount() throws(CheckpointError) -> Int { try status()?.byteCount ?? 0 }

  /// Returns the names in this directory, sorted by bytes.
  ///
  /// - Throws: `inputOutput` if it cannot be read.
  package func entryNames() throws(CheckpointError) -> [String] {
    try Syscalls.names(in: text)
  }

  /// Returns the path itself, or the files in its tree if it is a directory.
  ///
  /// Links to directories are not followed, and broken links are skipped.
  ///
  /// - Throws: `inputOutput` if it does not exist, or a directory cannot be read.
  package func files() throws(CheckpointError) -> [String] {
    guard let status = try status() else { throw .missing(text) }
    guard status.isDirectory else { return [text] }
    var files: [String] = []
    var open = [self]
    while let directory = open.popLast() {
      for name in try directory.entryNames() {
        let place = directory.appending(name)
        guard let status = try place.status() else { continue }
        if !status.isDirectory {
          files.append(place.text)
        } else if try Syscalls.status(at: place.text, followingLinks: false)?.isSymbolicLink != true
        {
          open.append(place)
        }
      }
    }
    return files
  }

  /// Whether the path means a directory: there is one, or the path ends in a slash.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package func meansDirectory() throws(CheckpointError) -> Bool {
    try status()?.isDirectory == true || text.utf8.last == UInt8(ascii: "/")
  }

  /// Whether another path leads to the same file or directory.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package func isSameFile(as other: String) throws(CheckpointError) -> Bool {
    guard let status = try status(), let second = try FilePath(other).status() else { return false }
    return status.inode == second.inode && status.device == second.device
  }

  /// Checks that a file written here replaces none of `paths`.
  ///
  /// - Throws: `unsupported` with `remedy` if it would, even through a link; `inputOutput` if the
  ///   system fails.
  package func requireApart(from paths: [String], remedy: Remedy) throws(CheckpointError) {
    for path in paths where try isPlace(of: FilePath(path)) {
      throw CheckpointError(
        .unsupported, "this would replace the input '\(path)'", remedy: remedy
      ).framed(by: text)
    }
  }

  /// Whether a file at this path is or will be the other one.
  private func isPlace(of other: FilePath) throws(CheckpointError) -> Bool {
    if try isSameFile(as: other.text) { return true }
    guard name == other.name else { return false }
    return try directory.isSameFile(as: other.directory.text)
  }

  /// Returns the paths of those of `names` that exist in `directory`.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package static func existing(
    _ names: [String], in directory: FilePath
  ) throws(CheckpointError) -> [String] {
    var paths: [String] = []
    for name in names {
      let path = directory.appending(name)
      if try path.status() != nil { paths.append(path.text) }
    }
    return paths
  }

  /// Returns the real name of the directory, even if the path is `.` or ends in `..`.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package func ownName() throws(CheckpointError) -> String {
    guard [".", ".."].contains(name) else { return name }
    var steps: [Substring.UTF8View] = []
    if !text.utf8.starts(with: "/".utf8) {
      let place = try Syscalls.currentDirectory()
      steps = place.utf8.split(separator: UInt8(ascii: "/"))
    }
    for step in text.utf8.split(separator: UInt8(ascii: "/")) where !step.elementsEqual(".".utf8) {
      if step.elementsEqual("..".utf8) { _ = steps.popLast() } else { steps.append(step) }
    }
    return steps.last.map { String(Substring($0)) } ?? "/"
  }
}
