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
