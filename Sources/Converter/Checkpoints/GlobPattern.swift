internal import CkptBase

/// A pattern for paths, like in shells: `*`, `?`, `[a-z]`, `[!a-z]`, and `**` for any directories.
///
/// Shells expand patterns themselves. A quoted pattern, or one from a list, reaches the program.
package struct GlobPattern: Hashable, Sendable {
  /// A component of a pattern.
  package enum Component: Hashable, Sendable {
    /// An exact name.
    case name(String)
    /// A pattern for one name.
    case pattern(String)
    /// Any number of directories, including none.
    case anyDirectories
  }

  /// The components after the literal beginning; the first one is not an exact name.
  package let components: [Component]
  /// The directory of all matches: the part before the first special character.
  package let base: String

  /// Parses a pattern; `nil` if nothing in `text` is special.
  package init?(_ text: String) {
    let parts = text.parts(between: "/").filter { !$0.isEmpty }.map(String.init)
    guard let first = parts.firstIndex(where: GlobPattern.isSpecial) else { return nil }
    let literal = parts[..<first].map(GlobPattern.unescaped).joined(separator: "/")
    base = text.begins(with: "/") ? "/" + literal : literal.isEmpty ? "." : literal
    components = parts[first...].map { part in
      if part == "**" { return .anyDirectories }
      return GlobPattern.isSpecial(part) ? .pattern(part) : .name(GlobPattern.unescaped(part))
    }
  }

  private static func isSpecial(_ part: String) -> Bool {
    part.unicodeScalars.contains { ["*", "?", "["].contains($0) }
  }

  private static func unescaped(_ part: String) -> String {
    var text = String.UnicodeScalarView()
    var isEscaped = false
    for character in part.unicodeScalars {
      if character == "\\", !isEscaped {
        isEscaped = true
      } else {
        text.append(character)
        isEscaped = false
      }
    }
    return String(text)
  }

  /// Whether a name without slashes matches a pattern for one component.
  ///
  /// A leading dot must be written explicitly, as in shells. The time is limited to the product of
  /// the lengths.
  package static func matches(_ name: String, _ pattern: String) -> Bool {
    let name = Array(name.unicodeScalars)
    let tokens = GlobToken.tokens(of: pattern)
    if name.first == ".", tokens.first != .scalar(".") { return false }
    var (place, token) = (0, 0)
    // The place to continue after the last star, which takes one more character each time.
    var retry: (place: Int, token: Int)?
    while place < name.count {
      if token < tokens.count, tokens[token] == .star {
        retry = (place, token + 1)
        token += 1
      } else if token < tokens.count, tokens[token].matches(name[place]) {
        place += 1
        token += 1
      } else if let last = retry {
        retry = (last.place + 1, last.token)
        (place, token) = (last.place + 1, last.token)
      } else {
        return false
      }
    }
    return tokens[token...].allSatisfy { $0 == .star }
  }
}

/// A token of a pattern for names.
enum GlobToken: Hashable, Sendable {
  /// Any number of characters.
  case star
  /// Any single character.
  case any
  /// An exact character.
  case scalar(Unicode.Scalar)
  /// A character inside, or outside, of all ranges.
  case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)

  /// Splits a pattern into tokens; a bracket that is not closed is an exact character.
  static func tokens(of pattern: String) -> [GlobToken] {
    let scalars = Array(pattern.unicodeScalars)
    var tokens: [GlobToken] = []
    var place = 0
    while place < scalars.count {
      let scalar = scalars[place]
      place += 1
      switch scalar {
      case "*": if tokens.last != .star { tokens.append(.star) }
      case "?": tokens.append(.any)
      case "[":
        if let (set, end) = set(in: scalars, from: place) {
          tokens.append(set)
          place = end
        } else {
          tokens.append(.scalar(scalar))
        }
      case "\\" where place < scalars.count:
        tokens.append(.scalar(scalars[place]))
        place += 1
      default: tokens.append(.scalar(scalar))
      }
    }
    return tokens
  }

  /// Parses the set after a bracket, and returns the position after it.
  private static func set(
    in scalars: [Unicode.Scalar], from start: Int
  ) -> (set: GlobToken, end: Int)? {
    var place = start
    let isNegated = place < scalars.count && ["!", "^"].contains(scalars[place])
    if isNegated { place += 1 }
    let first = place
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while place < scalars.count {
      let lower = scalars[place]
      // A bracket at the first position is a member.
      if lower == "]", place > first { return (.set(ranges, isNegated: isNegated), place + 1) }
      var upper = lower
      if place + 2 < scalars.count, scalars[place + 1] == "-", scalars[place + 2] != "]" {
        upper = scalars[place + 2]
        place += 2
      }
      if lower <= upper { ranges.append(lower...upper) }
      place += 1
    }
    return nil
  }

  /// Whether a character matches the token.
  func matches(_ scalar: Unicode.Scalar) -> Bool {
    switch self {
    case .star, .any: true
    case .scalar(let wanted): scalar == wanted
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
    }
  }
}

/// A choice of names by patterns, as ``GlobPattern`` matches them.
package struct NameFilter: Hashable, Sendable {
  /// The patterns of the chosen names; empty for all.
  package var only: [String]
  /// The patterns of the names that are not chosen.
  package var skip: [String]

  /// Creates a filter, by default for all names.
  package init(only: [String] = [], skip: [String] = []) {
    (self.only, self.skip) = (only, skip)
  }

  /// Whether the filter chooses all names.
  package var takesAll: Bool { only.isEmpty && skip.isEmpty }

  /// Whether the filter chooses a name.
  package func selects(_ name: String) -> Bool {
    (only.isEmpty || only.contains { GlobPattern.matches(name, $0) })
      && !skip.contains { GlobPattern.matches(name, $0) }
  }
}
