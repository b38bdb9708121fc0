/// A path as text, and what its text alone says: nothing is asked of the system.
///
/// A path is bytes: a name may begin with a character that combines with the slash before it, so
/// slashes and dots are found among the bytes.
package struct FilePath: Hashable, Sendable {
  /// The path as given.
  package let text: String

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  /// A path as it was given.
  package init(_ text: String) { self.text = text }

  /// The path without slashes at its end.
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

  /// The directory that holds what has this path: `.` for a bare name.
  package var directory: FilePath {
    let text = trimmed.text
    guard let slash = text.utf8.lastIndex(of: Self.slash) else { return FilePath(".") }
    return FilePath(slash == text.startIndex ? "/" : String(text[..<slash]))
  }

  /// A file in this directory.
  package func appending(_ name: String) -> FilePath {
    if text == "." { return FilePath(name) }
    return FilePath(text.utf8.last == Self.slash ? text + name : text + "/" + name)
  }

  /// The name with another extension in place of its last one.
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

  /// Feeds the bytes to `hasher`.
  package func hash(into hasher: inout Hasher) { ExactString(text).hash(into: &hasher) }
}

/// What the system says of what has a path.
extension FilePath {
  /// The status of the file there, or `nil` where there is none.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func status() throws(CheckpointError) -> Syscalls.FileStatus? {
    try Syscalls.status(at: text)
  }

  /// The size of the file there in bytes, 0 where there is none.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func byteCount() throws(CheckpointError) -> Int { try status()?.byteCount ?? 0 }

  /// The names of what is in this directory, in the order of their bytes.
  ///
  /// - Throws: `inputOutput` when it cannot be read.
  package func entryNames() throws(CheckpointError) -> [String] {
    try Syscalls.names(in: text)
  }

  /// Whether a user who gave the path means a directory: there is one, or the path ends in a slash.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func meansDirectory() throws(CheckpointError) -> Bool {
    try status()?.isDirectory == true || text.utf8.last == UInt8(ascii: "/")
  }

  /// Whether another path leads to the same file or directory.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func isSameFile(as other: String) throws(CheckpointError) -> Bool {
    guard let status = try status(), let second = try FilePath(other).status() else { return false }
    return status.inode == second.inode && status.device == second.device
  }

  /// Makes sure that a file written here replaces none of `paths`.
  ///
  /// - Throws: `unsupported` with `remedy` when it would, also by a link; `inputOutput` when the
  ///   system does not tell.
  package func requireApart(from paths: [String], remedy: Remedy) throws(CheckpointError) {
    for path in paths where try isPlace(of: FilePath(path)) {
      throw CheckpointError(
        .unsupported, "this is the place of '\(path)', which would be lost", remedy: remedy
      ).framed(by: text)
    }
  }

  /// Whether a file here would be the one that is there, or will be.
  private func isPlace(of other: FilePath) throws(CheckpointError) -> Bool {
    if try isSameFile(as: other.text) { return true }
    guard name == other.name else { return false }
    return try directory.isSameFile(as: other.directory.text)
  }

  /// The paths of those of `names` that are in `directory`.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
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

  /// The name that the directory has where it lies, also if the path is `.` or ends in `..`.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
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
