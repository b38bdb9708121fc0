package import CkptBase

/// Path prefixes of messages.
extension FilePath {
  /// Returns the prefix of a message about this path, when `input` is already in front of it: empty
  /// for `input` itself, otherwise the remaining path and a colon.
  package func prefix(below input: String) -> String {
    guard
      let rest = Self.rest(of: text, behind: input)?.utf8.drop(while: { $0 == UInt8(ascii: "/") })
    else {
      return "\(text): "
    }
    return rest.isEmpty ? "" : "\(Substring(rest)): "
  }

  /// Returns the text after the path `place`; `nil` for a text without it, or one that begins with
  /// a longer name.
  package static func rest(of text: String, behind place: String) -> Substring? {
    guard text.begins(with: place) else { return nil }
    let rest = Substring(text.utf8.dropFirst(place.utf8.count))
    guard let next = rest.utf8.first, !place.ends(with: "/") else { return rest }
    return next == UInt8(ascii: "/") || next == UInt8(ascii: ":") ? rest : nil
  }
}

extension Int {
  /// Returns the number with its noun: `1 tensor`, `2 tensors`.
  package func pluralized(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
