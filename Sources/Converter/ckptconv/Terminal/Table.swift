/// Rows of text under a heading, in columns as wide as what they hold.
struct Table: Sendable {
  /// A column: its heading and the side on which its text stands.
  struct Column: Hashable, Sendable {
    let title: String
    let isNumeric: Bool

    /// Text begins at the column's left side.
    static func text(_ title: String) -> Column { Column(title: title, isNumeric: false) }
    /// Numbers end at the column's right side.
    static func number(_ title: String) -> Column { Column(title: title, isNumeric: true) }
  }

  /// What a column is never cut below, so that something of a name remains.
  private static let leastWidth = 12
  private static let gap = 2

  private let columns: [Column]
  private let rows: [[String]]

  /// A table whose rows have a cell for each of `columns`.
  init(_ columns: [Column], rows: [[String]]) {
    self.columns = columns
    self.rows = rows.map { $0.map(\.harmless) }
  }

  /// The heading and the rows, each on one line.
  ///
  /// Where `width` is given, the first column gives way until a line fits, and then the line is cut.
  func text(width: Int?) -> String {
    let widths = columnWidths(within: width)
    let lines = ([columns.map(\.title)] + rows).map { cells in
      let line = zip(zip(cells, columns), widths).map { pair, width in
        let cell = pair.0.cut(to: width)
        return pair.1.isNumeric ? cell.rightAligned(to: width) : cell.padded(to: width)
      }.joined(separator: String(repeating: " ", count: Self.gap))
      let bare = line.trimmingTrailingSpaces
      return width.map { bare.cut(to: $0) } ?? bare
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func columnWidths(within limit: Int?) -> [Int] {
    var widths = columns.indices.map { index in
      rows.reduce(columns[index].title.count) { max($0, $1[index].count) }
    }
    let whole = widths.reduce(0, +) + Self.gap * (widths.count - 1)
    if let limit, whole > limit, let first = widths.first {
      widths[0] = max(min(first, Self.leastWidth), first - (whole - limit))
    }
    return widths
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    let end = lastIndex { $0 != " " }.map(index(after:)) ?? startIndex
    return String(self[..<end])
  }
}

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

/// A number of bytes for people: three digits and a decimal unit, as disks and networks are sold.
struct ByteCount: Hashable, Sendable, CustomStringConvertible {
  let bytes: Int

  private static let units = ["kB", "MB", "GB", "TB", "PB", "EB"]

  /// `999 B`, `1.23 kB`, `45.6 MB`, `789 GB`.
  var description: String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    // Three digits are kept in thousandths of the unit, so that no rounding depends on a Double.
    var scale = 1
    var unit = 0
    while bytes / scale >= 1_000_000, unit < Self.units.count - 1 {
      scale *= 1000
      unit += 1
    }
    let thousandths = bytes / scale
    let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1000)
    let fraction = String(1000 + rest).dropFirst()
    return switch whole {
    case ..<10: "\(whole).\(fraction.prefix(2)) \(Self.units[unit])"
    case ..<100: "\(whole).\(fraction.prefix(1)) \(Self.units[unit])"
    default: "\(whole) \(Self.units[unit])"
    }
  }
}
