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
