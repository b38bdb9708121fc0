internal import CkptBase

/// A pattern for paths, as shells know them: `*`, `?`, `[a-z]`, `[!a-z]`, and `**` for any
/// directories.
///
/// Shells expand patterns themselves; one that is quoted, or comes from a list, reaches the program.
package struct GlobPattern: Hashable, Sendable {
  /// What one directory of the path, or the name at its end, must be.
  enum Component: Hashable, Sendable {
    /// This very name.
    case name(String)
    /// A name that matches.
    case pattern(String)
    /// Any number of directories, none among them.
    case anyDirectories
  }

  /// The components behind the literal beginning; the first is no plain name.
  let components: [Component]
  /// The directory that all matches lie below: what comes before the first special character.
  package let base: String

  /// The pattern in `text`, or `nil` when nothing in it is special.
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

  /// Whether a name without slashes matches a pattern of one component.
  ///
  /// A leading dot must be written out, as shells want it. The time is bounded by the product of the
  /// lengths.
  package static func matches(_ name: String, _ pattern: String) -> Bool {
    let name = Array(name.unicodeScalars)
    let tokens = GlobToken.tokens(of: pattern)
    if name.first == ".", tokens.first != .scalar(".") { return false }
    var (place, token) = (0, 0)
    // Where to try again after the last star: it takes one more each time.
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

/// What one place of a pattern for names stands for.
enum GlobToken: Hashable, Sendable {
  /// Any characters, or none.
  case star
  /// Any character.
  case any
  /// This character.
  case scalar(Unicode.Scalar)
  /// A character in one of the ranges, or in none of them.
  case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)

  /// The parts of a pattern; a bracket that is not closed stands for itself.
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

  /// The set that begins behind a bracket, and where the pattern goes on.
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
      // A bracket that comes first is a member.
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

  /// Whether one character is what this stands for.
  func matches(_ scalar: Unicode.Scalar) -> Bool {
    switch self {
    case .star, .any: true
    case .scalar(let wanted): scalar == wanted
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
    }
  }
}
