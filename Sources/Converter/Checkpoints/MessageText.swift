package import CkptBase

/// Paths in front of messages.
extension FilePath {
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
}

extension Int {
  /// The number with what it counts: `1 tensor`, `2 tensors`.
  package func counting(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
