package import Bytes

/// A path as text: the few operations on names that conversions need.
package struct FilePath: Hashable {
  /// The path as given.
  package let text: String

  /// A path as it was given.
  package init(_ text: String) { self.text = text }

  /// The last component, without trailing slashes.
  package var name: String {
    trimmed.split(separator: "/").last.map(String.init) ?? trimmed
  }

  /// The directory that holds the file: `.` for a bare name.
  package var directory: FilePath {
    guard let slash = trimmed.lastIndex(of: "/") else { return FilePath(".") }
    return FilePath(slash == trimmed.startIndex ? "/" : String(trimmed[..<slash]))
  }

  /// A file in this directory.
  package func appending(_ name: String) -> FilePath {
    if text == "." { return FilePath(name) }
    return FilePath(text.hasSuffix("/") ? text + name : text + "/" + name)
  }

  /// The path from `input`, to stand in front of a message that `input` stands in front of: nothing
  /// for `input` itself, and else with a colon behind it.
  package func prefix(below input: String) -> String {
    guard let rest = Self.rest(of: text, behind: input)?.drop(while: { $0 == "/" }) else {
      return "\(text): "
    }
    return rest.isEmpty ? "" : "\(rest): "
  }

  /// What follows the path `place` in a text that begins with it; `nil` for another text, and for one
  /// that begins with a longer name.
  package static func rest(of text: String, behind place: String) -> Substring? {
    guard text.hasPrefix(place) else { return nil }
    let rest = text.dropFirst(place.count)
    guard let next = rest.first, !place.hasSuffix("/") else { return rest }
    return next == "/" || next == ":" ? rest : nil
  }

  /// The file's name with another extension in place of its last one.
  package func name(withExtension new: String) -> String {
    let name = name
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "\(name).\(new)" }
    return "\(name[..<dot]).\(new)"
  }

  /// The status of the file there, or `nil` where there is none.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func status() throws(FormatError) -> Syscalls.FileStatus? {
    try FormatError.wrapping { () throws(SystemError) in try Syscalls.status(at: text) }
  }

  /// Whether another path leads to the same file or directory.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func isSameFile(as other: String) throws(FormatError) -> Bool {
    guard let status = try status(), let second = try FilePath(other).status() else { return false }
    return status.inode == second.inode && status.device == second.device
  }

  /// Makes sure that none of `paths` is this place, which something is to be written to.
  ///
  /// - Throws: `unsupported` when one is, `inputOutput` when the system does not tell.
  package func requireApart(from paths: [String]) throws(FormatError) {
    for path in paths where try isPlace(of: FilePath(path)) {
      throw FormatError(
        .unsupported, "this is the place of '\(path)', which would be lost",
        hint: "give the manifest a name of its own"
      ).framed(by: text)
    }
  }

  /// Whether a file here would be the one that is there, or will be.
  private func isPlace(of other: FilePath) throws(FormatError) -> Bool {
    if try isSameFile(as: other.text) { return true }
    guard name == other.name else { return false }
    return try directory.isSameFile(as: other.directory.text)
  }

  /// The size of the file there in bytes, 0 where there is none.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package func byteCount() throws(FormatError) -> Int { try status()?.byteCount ?? 0 }

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

  private var trimmed: String {
    var text = text[...]
    while text.count > 1, text.hasSuffix("/") { text.removeLast() }
    return String(text)
  }
}
