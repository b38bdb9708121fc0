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
