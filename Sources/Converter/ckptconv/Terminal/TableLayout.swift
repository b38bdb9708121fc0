/// The arrangement of a table's columns within a width.
struct TableLayout {
  /// The minimum width of a shortened name.
  private static let leastName = 16
  /// The minimum width of a cut value.
  private static let leastValue = 20
  private static let margin = 2

  /// The columns that each line has, by number.
  private(set) var shown: [Int]
  /// The width of each column.
  private(set) var widths: [Int]
  /// The shortened names, one for each row; `nil` if the names are whole.
  private(set) var names: [String]?
  /// The columns whose cells have lines of their own.
  private var stacked: [Int] = []
  private let width: Int?

  /// Arranges the columns of a table.
  init(of table: Table, width: Int?, keepsNames: Bool) {
    self.width = width
    shown = Array(table.columns.indices)
    widths = table.columns.indices.map { index in
      table.rows.reduce(table.columns[index].title.width) { max($0, $1[index].width) }
    }
    guard let width, lineWidth > width else { return }
    if let last = shown.last, table.columns[last].kind == .value {
      let room = width - (lineWidth - widths[last])
      widths[last] = max(Self.leastValue, room)
      if lineWidth <= width { return }
    }
    stack { table.columns[$0].kind == .detail }
    for index in table.columns.indices.reversed()
    where lineWidth > width && table.columns[index].isOptional {
      shown.removeAll { $0 == index }
    }
    guard lineWidth > width else { return }
    guard let name = shown.first(where: { table.columns[$0].kind == .name }) else {
      // Even short columns do not fit.
      let first = shown.first
      stack { $0 != first }
      return
    }
    let room = width - (lineWidth - widths[name])
    if room >= Self.leastName, !keepsNames {
      shorten(name, of: table, to: room)
    } else {
      stack { table.columns[$0].kind != .name }
      if !keepsNames, lineWidth > width { shorten(name, of: table, to: width) }
    }
  }

  /// Gives the cells of some columns lines of their own.
  private mutating func stack(_ isStacked: (Int) -> Bool) {
    stacked += shown.filter(isStacked)
    stacked.sort()
    shown.removeAll(where: isStacked)
  }

  private mutating func shorten(_ column: Int, of table: Table, to width: Int) {
    let texts = ElidedNames.elide(table.rows.map { $0[column].text }, to: width)
    names = texts
    widths[column] = width
  }

  private var lineWidth: Int {
    shown.reduce(0) { $0 + widths[$1] } + Table.gap * max(0, shown.count - 1)
  }

  /// Returns the lines below a row: its stacked cells with their headings.
  func details(of cells: [Table.Cell], in columns: [Table.Column]) -> [String] {
    guard !stacked.isEmpty, let width else { return [] }
    let titleWidth = stacked.reduce(0) { max($0, columns[$1].title.width) }
    return stacked.filter { cells[$0].width > 0 }.flatMap { index in
      let title = columns[index].title.padded(to: titleWidth) + (titleWidth > 0 ? "  " : "")
      let head = String(repeating: " ", count: Self.margin) + title
      let text = String(cells[index].text.drop { $0 == " " })
      return text.wrapped(to: max(8, width - head.width)).enumerated().map { number, line in
        (number == 0 ? head : String(repeating: " ", count: head.width)) + line
      }
    }
  }
}
