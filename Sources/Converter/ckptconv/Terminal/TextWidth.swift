/// Text as a terminal shows it.
extension String {
  /// The number of columns that the text takes.
  var width: Int { isPlain ? utf8.count : reduce(0) { $0 + $1.width } }

  /// Whether all characters are printable ASCII, with one byte and one column each.
  private var isPlain: Bool {
    let bytes = utf8.span
    for index in bytes.indices where bytes[index] &- 0x20 > 0x5e { return false }
    return true
  }

  /// Returns the text with spaces after it, at least `width` columns wide.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - self.width))
  }

  /// Returns the text with spaces before it, at least `width` columns wide.
  func rightAligned(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - self.width)) + self
  }

  /// Returns the text, or its beginning and an ellipsis, at most `width` columns wide.
  func cut(to width: Int) -> String {
    if self.width <= width { return self }
    return width > 0 ? beginning(ofWidth: width - 1) + "…" : ""
  }

  /// Returns the longest beginning that takes at most `width` columns.
  func beginning(ofWidth width: Int) -> Substring {
    var (end, left) = (startIndex, width)
    while end < endIndex, self[end].width <= left {
      left -= self[end].width
      formIndex(after: &end)
    }
    return self[..<end]
  }

  /// Returns the longest end that takes at most `width` columns.
  func ending(ofWidth width: Int) -> Substring {
    var (start, left) = (endIndex, width)
    while start > startIndex {
      let before = index(before: start)
      guard self[before].width <= left else { break }
      left -= self[before].width
      start = before
    }
    return self[start...]
  }

  /// Returns the text in lines of at most `width` columns.
  ///
  /// Lines end at spaces where they can.
  func wrapped(to width: Int) -> [String] {
    var lines: [String] = []
    var rest = self
    while rest.width > max(1, width) {
      var head = rest.beginning(ofWidth: max(1, width))
      if head.isEmpty { head = rest.prefix(1) }
      if rest[head.endIndex...].first != " ", let space = head.lastIndex(of: " "),
        space > head.startIndex
      {
        head = head[..<space]
      }
      lines.append(String(head))
      rest = String(rest[head.endIndex...].drop { $0 == " " })
    }
    if !rest.isEmpty || lines.isEmpty { lines.append(rest) }
    return lines
  }

  /// The text on one line, without characters that move the cursor or reverse text.
  ///
  /// Names come from untrusted files, and a terminal obeys the control characters in them.
  var harmless: String {
    if isPlain { return self }
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

extension Character {
  /// The number of columns that it takes: two for East Asian characters and emoji.
  var width: Int {
    if utf8.count == 1 { return 1 }
    return unicodeScalars.reduce(0) { Swift.max($0, $1.width) }
  }
}

extension Unicode.Scalar {
  /// Blocks of characters with East Asian Width `W` or `F` (Unicode Standard Annex 11).
  private static let wideBlocks: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0xa4cf,
    0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
    0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x20000...0x3fffd,
  ]

  /// The number of columns that it takes alone.
  fileprivate var width: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return Self.wideBlocks.contains { $0.contains(value) } ? 2 : 1
    }
  }

  /// Whether it is a control, a line break, or invisible formatting such as a change of direction.
  fileprivate var steersTerminal: Bool {
    if isASCII { return value < 0x20 || value == 0x7F }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
