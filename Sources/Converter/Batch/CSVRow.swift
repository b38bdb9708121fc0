/// A line of a table whose cells are separated by commas (RFC 4180, without line breaks in cells).
enum CSVRow {
  /// The cells, without the quotes around them.
  static func cells(of line: String) -> [String] {
    var cells = [""]
    var isQuoted = false
    var previous: Character?
    for character in line {
      switch character {
      case "\"":
        // Two quotes inside of a quoted cell stand for one.
        if !isQuoted, previous == "\"" { cells[cells.count - 1].append("\"") }
        isQuoted.toggle()
      case "," where !isQuoted: cells.append("")
      default: cells[cells.count - 1].append(character)
      }
      previous = character
    }
    return cells
  }
}
