/// Text as a terminal shows it.
extension String {
  /// The text with spaces after it, `width` characters long at least.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }

  /// The text with spaces before it, `width` characters long at least.
  func rightAligned(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - count)) + self
  }

  /// The text, or its beginning and an ellipsis, `width` characters long at most.
  func cut(to width: Int) -> String {
    if count <= width { return self }
    return width > 0 ? prefix(width - 1) + "…" : ""
  }

  /// The text on one line and without the power to move a cursor or to reverse what follows.
  ///
  /// Names come from files that nobody trusts; a terminal obeys the control characters in them.
  var harmless: String {
    guard unicodeScalars.contains(where: \.steersTerminal) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.steersTerminal {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Unicode.Scalar {
  /// Whether it is a control, a line break, or invisible formatting such as a change of direction.
  fileprivate var steersTerminal: Bool {
    if isASCII { return value < 0x20 || value == 0x7F }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
