package import CkptBase

/// A list of inputs in a file: one path or pattern for each line, or a table of OLMo checkpoints.
///
/// The tables are CSV files with a column `Checkpoint Directory` (`configs/official-*/*.csv` of
/// allenai/OLMo). Their URLs stand for local copies: `wget -x` keeps the whole URL as directories,
/// `wget -x -nH` all but the host.
package enum InputList {
  private static let column = "Checkpoint Directory"
  /// The maximum size of a list, in bytes: a million lines.
  private static let limit = 256 << 20

  /// Returns the arguments in the list at `path`.
  ///
  /// - Throws: `inputOutput` if it cannot be read; `unsupported`, with the line, for a URL without
  ///   a local copy; `malformed` for a list that is not text.
  package static func arguments(in path: String) throws(CheckpointError) -> [String] {
    try CheckpointError.within(path) { () throws(CheckpointError) in
      let bytes = try FileSource(path: path).contents(of: "a list of inputs", atMost: limit)
      guard let text = String(validating: bytes, as: UTF8.self), !text.contains("\0") else {
        throw CheckpointError(
          .malformed, "this is not text",
          remedy: .text("a list must have one path on each line", .giveWithoutList))
      }
      return try arguments(of: text) { path throws(CheckpointError) in
        try FilePath(path).status() != nil
      }
    }
  }

  /// Returns the arguments in the text of a list.
  ///
  /// `exists` tells whether a path exists.
  static func arguments(
    of text: String, exists: (String) throws(CheckpointError) -> Bool
  ) throws(CheckpointError) -> [String] {
    var arguments: [String] = []
    var columnIndex: Int?
    var isFirst = true
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let line = line.trimmed
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      if isFirst {
        isFirst = false
        columnIndex = CSVRow.cells(of: line).firstIndex { $0.lowercased() == column.lowercased() }
        if columnIndex != nil { continue }
      }
      var entry = line
      if let columnIndex {
        let cells = CSVRow.cells(of: line)
        guard columnIndex < cells.count, !cells[columnIndex].isEmpty else {
          throw CheckpointError(
            .malformed,
            "line \(index + 1) has \(cells.count) columns, but '\(column)' is column \(columnIndex + 1)"
          )
        }
        entry = cells[columnIndex]
      }
      arguments.append(try local(entry, line: index + 1, exists))
    }
    guard !arguments.isEmpty else { throw CheckpointError(.malformed, "the list is empty") }
    return arguments
  }

  /// Returns the entry, or for a URL the path of its local copy.
  private static func local(
    _ entry: String, line: Int, _ exists: (String) throws(CheckpointError) -> Bool
  ) throws(CheckpointError) -> String {
    guard let (scheme, rest) = URLText.parts(of: entry) else { return entry }
    if scheme == "file" { return rest.hasPrefix("/") ? rest : "/" + rest }
    let copies = [rest, rest.split(separator: "/").dropFirst().joined(separator: "/")]
    for copy in copies where !copy.isEmpty {
      if try exists(copy) { return copy }
    }
    throw CheckpointError(
      .unsupported,
      "line \(line) names '\(entry)', but there is no local copy at "
        + copies.map { "'\($0)'" }.joined(separator: " or "),
      remedy: "download it first, for example with 'wget -x'")
  }
}

extension Substring {
  /// The text without white space at both ends.
  fileprivate var trimmed: String {
    let start = unicodeScalars.drop(while: \.properties.isWhitespace)
    let end = start.lastIndex { !$0.properties.isWhitespace }
    return end.map { String(Substring(start[...$0])) } ?? ""
  }
}

/// A line of a table whose cells are separated by commas (RFC 4180, without line breaks in cells).
enum CSVRow {
  /// Returns the cells, without quotes.
  static func cells(of line: String) -> [String] {
    var cells = [String.UnicodeScalarView()]
    var isQuoted = false
    var previous: Unicode.Scalar?
    for character in line.unicodeScalars {
      switch character {
      case "\"":
        // Two quotes inside a quoted cell stand for one.
        if !isQuoted, previous == "\"" { cells[cells.count - 1].append("\"") }
        isQuoted.toggle()
      case "," where !isQuoted: cells.append(String.UnicodeScalarView())
      default: cells[cells.count - 1].append(character)
      }
      previous = character
    }
    return cells.map { String($0) }
  }
}

/// Distinguishes URLs from paths.
enum URLText {
  /// Returns the scheme of a URL and the text after `://`, without a final slash; `nil` for a path.
  static func parts(of text: String) -> (scheme: String, rest: String)? {
    let scheme = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+") }
    guard !scheme.isEmpty, text[scheme.endIndex...].hasPrefix("://") else { return nil }
    var rest = text[scheme.endIndex...].dropFirst(3)
    while rest.count > 1, rest.hasSuffix("/") { rest.removeLast() }
    return (scheme.lowercased(), String(rest))
  }
}
