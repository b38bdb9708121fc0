internal import CkptBase

/// Rows of text under a heading, in columns as wide as their contents.
struct Table: Sendable {
  /// A column with its heading and its form.
  struct Column: Hashable, Sendable {
    /// The form of a column's cells.
    enum Kind: Hashable, Sendable {
      /// Names, which are never cut at the end.
      case name
      /// Short text.
      case text
      /// Numbers with units, aligned right.
      case number
      /// Numbers, aligned at the decimal point.
      case decimal
      /// Text of any length, which may be cut.
      case value
      /// Text that moves to lines of its own in a narrow terminal.
      case detail
    }

    let title: String
    let kind: Kind
    /// Whether a narrow terminal can do without the column.
    var isOptional = false

    /// Returns a column of names.
    static func name(_ title: String) -> Column { Column(title: title, kind: .name) }
    /// Returns a column of short text, which is aligned left.
    static func text(_ title: String) -> Column { Column(title: title, kind: .text) }
    /// Returns a column of numbers with units, which are aligned right.
    static func number(_ title: String) -> Column { Column(title: title, kind: .number) }
    /// Returns a column of numbers, which are aligned at the decimal point.
    static func decimal(_ title: String) -> Column { Column(title: title, kind: .decimal) }
    /// Returns a column of long text, which may be cut.
    static func value(_ title: String) -> Column { Column(title: title, kind: .value) }
    /// Returns a column of long text, which is never cut.
    static func detail(_ title: String) -> Column { Column(title: title, kind: .detail) }

    /// The column, which a narrow terminal can do without.
    var optional: Column { Column(title: title, kind: kind, isOptional: true) }
  }

  /// A text and its width in columns.
  struct Cell {
    let text: String
    let width: Int

    init(_ text: String) {
      self.text = text.harmless
      width = self.text.width
    }
  }

  static let gap = 2

  let columns: [Column]
  private(set) var rows: [[Cell]]

  /// Creates a table with one cell for each of `columns` in each row.
  init(_ columns: [Column], rows: [[String]]) {
    self.columns = columns
    self.rows = rows.map { $0.map(Cell.init) }
    for index in columns.indices where columns[index].kind == .decimal { alignDecimals(index) }
  }

  /// Pads the numbers of a column before their decimal points.
  private mutating func alignDecimals(_ column: Int) {
    func wholeWidth(_ text: String) -> Int {
      text.prefix { $0 != "." && $0 != "e" && $0 != " " }.count
    }
    let widest = rows.reduce(0) { max($0, wholeWidth($1[column].text)) }
    for row in rows.indices where !rows[row][column].text.isEmpty {
      let text = rows[row][column].text
      rows[row][column] = Cell(
        String(repeating: " ", count: widest - wholeWidth(text)) + text)
    }
  }

  /// Returns the heading and the rows.
  ///
  /// If `width` is given, no line is wider, except for names with `fullNames`. Long values are cut,
  /// details move to lines of their own, optional columns are left out, and names are shortened in
  /// the middle, in this order, until a line fits.
  func text(width: Int?, fullNames: Bool = false) -> String {
    let layout = TableLayout(of: self, width: width, keepsNames: fullNames)
    // Joining bytes is several times faster than joining strings.
    var bytes: [UInt8] = []
    append(columns.map { Cell($0.title) }, name: nil, layout, to: &bytes)
    for (index, cells) in rows.enumerated() {
      append(cells, name: layout.names?[index], layout, to: &bytes)
      for line in layout.details(of: cells, in: columns) {
        bytes.append(copying: line.utf8.span)
        bytes.append(UInt8(ascii: "\n"))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends one line, without trailing spaces.
  private func append(
    _ cells: [Cell], name: String?, _ layout: TableLayout, to bytes: inout [UInt8]
  ) {
    // Spaces are written only if more text follows them.
    var gap = 0
    for (position, index) in layout.shown.enumerated() {
      var cell = cells[index]
      let width = layout.widths[index]
      if position > 0 { gap += Self.gap }
      if columns[index].kind == .name, let name { cell = Cell(name) }
      if columns[index].kind == .value, cell.width > width { cell = Cell(cell.text.cut(to: width)) }
      let padding = max(0, width - cell.width)
      let isRight = columns[index].kind == .number
      if isRight { gap += padding }
      if cell.width > 0 {
        for _ in 0..<gap { bytes.append(Self.space) }
        bytes.append(copying: cell.text.utf8.span)
        gap = 0
      }
      if !isRight { gap += padding }
    }
    while bytes.last == Self.space { bytes.removeLast() }
    bytes.append(UInt8(ascii: "\n"))
  }

  private static let space = UInt8(ascii: " ")
}
