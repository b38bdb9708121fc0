package import CkptBase

/// Paths in front of messages.
extension FilePath {
  /// The path from `input`, to stand in front of a message that `input` stands in front of: nothing
  /// for `input` itself, and else with a colon behind it.
  package func prefix(below input: String) -> String {
    guard
      let rest = Self.rest(of: text, behind: input)?.utf8.drop(while: { $0 == UInt8(ascii: "/") })
    else {
      return "\(text): "
    }
    return rest.isEmpty ? "" : "\(Substring(rest)): "
  }

  /// What follows the path `place` in a text that begins with it; `nil` for another text, and for one
  /// that begins with a longer name.
  package static func rest(of text: String, behind place: String) -> Substring? {
    guard text.begins(with: place) else { return nil }
    let rest = Substring(text.utf8.dropFirst(place.utf8.count))
    guard let next = rest.utf8.first, !place.ends(with: "/") else { return rest }
    return next == UInt8(ascii: "/") || next == UInt8(ascii: ":") ? rest : nil
  }
}

extension Int {
  /// The number with what it counts: `1 tensor`, `2 tensors`.
  package func pluralized(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
