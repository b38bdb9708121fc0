internal import CkptBase

/// Rows of text under a heading, in columns as wide as their contents.
struct Table: Sendable {
  /// A column with its heading and alignment.
  struct Column: Hashable, Sendable {
    let title: String
    let isNumeric: Bool

    /// Returns a column of text, which is aligned left.
    static func text(_ title: String) -> Column { Column(title: title, isNumeric: false) }
    /// Returns a column of numbers, which are aligned right.
    static func number(_ title: String) -> Column { Column(title: title, isNumeric: true) }
  }

  /// The minimum width of a shortened column, so that part of a name remains.
  private static let leastWidth = 12
  private static let gap = 2

  /// A text and its length in characters.
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

  /// Creates a table with one cell for each of `columns` in each row.
  init(_ columns: [Column], rows: [[String]]) {
    self.columns = columns
    self.rows = rows.map { $0.map(Cell.init) }
  }

  /// Returns the heading and the rows, each on one line.
  ///
  /// If `width` is given, the first column is shortened until a line fits. Then the line is cut.
  func text(width: Int?) -> String {
    let widths = columnWidths(within: width)
    // Joining bytes is several times faster than joining strings.
    var bytes: [UInt8] = []
    append(columns.map { Cell($0.title) }, widths, within: width, to: &bytes)
    for cells in rows { append(cells, widths, within: width, to: &bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends one line, without trailing spaces.
  private func append(
    _ cells: [Cell], _ widths: [Int], within limit: Int?, to bytes: inout [UInt8]
  ) {
    let start = bytes.count
    // Spaces are written only if more text follows them.
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
  /// The number of characters.
  var width: Int { isPlain ? utf8.count : count }

  /// Whether all characters are printable ASCII, with one byte each.
  private var isPlain: Bool {
    let bytes = utf8.span
    for index in bytes.indices where bytes[index] &- 0x20 > 0x5e { return false }
    return true
  }

  /// Returns the text with spaces after it, at least `width` characters long.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - self.width))
  }

  /// Returns the text with spaces before it, at least `width` characters long.
  func rightAligned(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - self.width)) + self
  }

  /// Returns the text, or its beginning and an ellipsis, at most `width` characters long.
  func cut(to width: Int) -> String {
    if self.width <= width { return self }
    return width > 0 ? prefix(width - 1) + "…" : ""
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
