internal import CkptBase

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

  /// Text and how many characters it has.
  private struct Cell {
    let text: String
    let width: Int

    init(_ text: String) {
      self.text = text.harmless
      width = self.text.width
    }
  }

  private let columns: [Column]
  private let rows: [[Cell]]

  /// A table whose rows have a cell for each of `columns`.
  init(_ columns: [Column], rows: [[String]]) {
    self.columns = columns
    self.rows = rows.map { $0.map(Cell.init) }
  }

  /// The heading and the rows, each on one line.
  ///
  /// Where `width` is given, the first column gives way until a line fits, and then the line is cut.
  func text(width: Int?) -> String {
    let widths = columnWidths(within: width)
    // Bytes are put together several times faster than strings.
    var bytes: [UInt8] = []
    append(columns.map { Cell($0.title) }, widths, within: width, to: &bytes)
    for cells in rows { append(cells, widths, within: width, to: &bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends one line, without the spaces at its end.
  private func append(
    _ cells: [Cell], _ widths: [Int], within limit: Int?, to bytes: inout [UInt8]
  ) {
    let start = bytes.count
    // Spaces that are only there if something follows them.
    var gap = 0
    var width = 0
    for (index, cell) in cells.enumerated() {
      if index > 0 { gap += Self.gap }
      let padding = max(0, widths[index] - cell.width)
      if columns[index].isNumeric { gap += padding }
      if cell.width > 0 {
        for _ in 0..<gap { bytes.append(Self.space) }
        let isCut = cell.width > widths[index]
        bytes.append(copying: (isCut ? cell.text.cut(to: widths[index]) : cell.text).utf8.span)
        width += gap + min(cell.width, widths[index])
        gap = 0
      }
      if !columns[index].isNumeric { gap += padding }
    }
    while bytes.count > start, bytes.last == Self.space { bytes.removeLast() }
    if let limit, width > limit {
      let line = String(decoding: bytes[start...], as: UTF8.self)
      bytes.replaceSubrange(start..., with: line.cut(to: limit).utf8)
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  private static let space = UInt8(ascii: " ")

  private func columnWidths(within limit: Int?) -> [Int] {
    var widths = columns.indices.map { index in
      rows.reduce(columns[index].title.width) { max($0, $1[index].width) }
    }
    let whole = widths.reduce(0, +) + Self.gap * (widths.count - 1)
    if let limit, whole > limit, let first = widths.first {
      widths[0] = max(min(first, Self.leastWidth), first - (whole - limit))
    }
    return widths
  }
}

/// Text as a terminal shows it.
extension String {
  /// How many characters the text has.
  var width: Int { isPlain ? utf8.count : count }

  /// Whether there is nothing but printable characters of ASCII, each of which is a byte.
  private var isPlain: Bool {
    let bytes = utf8.span
    for index in bytes.indices where bytes[index] &- 0x20 > 0x5e { return false }
    return true
  }

  /// The text with spaces after it, `width` characters long at least.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - self.width))
  }

  /// The text with spaces before it, `width` characters long at least.
  func rightAligned(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - self.width)) + self
  }

  /// The text, or its beginning and an ellipsis, `width` characters long at most.
  func cut(to width: Int) -> String {
    if self.width <= width { return self }
    return width > 0 ? prefix(width - 1) + "…" : ""
  }

  /// The text on one line and without the power to move a cursor or to reverse what follows.
  ///
  /// Names come from files that nobody trusts; a terminal obeys the control characters in them.
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
