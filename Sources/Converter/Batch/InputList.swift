package import Bytes

/// A list of inputs in a file: one path or pattern a line, or a table of OLMo's checkpoints.
///
/// The tables are CSV with a column `Checkpoint Directory` (`configs/official-*/*.csv` of
/// allenai/OLMo). Theirs hold URLs, which are looked up among the files here: `wget -x` keeps the
/// whole URL as directories, `wget -x -nH` all but the host.
package enum InputList {
  private static let column = "Checkpoint Directory"
  /// The longest list read, in bytes: a million lines.
  private static let limit = 256 << 20

  /// The arguments that the list in the file `path` stands for.
  ///
  /// - Throws: `inputOutput` when it cannot be read; `unsupported` with the line for a URL without a
  ///   local copy, `malformed` for a list that is not text.
  package static func arguments(in path: String) throws(FormatError) -> [String] {
    try FormatError.within(path) { () throws(FormatError) in
      let bytes = try SourceFile.open(path).contents(of: "a list of inputs", atMost: limit)
      guard let text = String(validating: bytes, as: UTF8.self), !text.contains("\0") else {
        throw FormatError(
          .malformed, "this is not text",
          hint: "a list has one path on each line; checkpoints are given without --from")
      }
      return try arguments(of: text) { path throws(FormatError) in
        try FilePath(path).status() != nil
      }
    }
  }

  /// The arguments in the text of a list; `exists` tells of a path whether there is such a file.
  static func arguments(
    of text: String, exists: (String) throws(FormatError) -> Bool
  ) throws(FormatError) -> [String] {
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
          throw FormatError(
            .malformed,
            "line \(index + 1) has \(cells.count) columns, '\(column)' is number \(columnIndex + 1)"
          )
        }
        entry = cells[columnIndex]
      }
      arguments.append(try local(entry, line: index + 1, exists))
    }
    guard !arguments.isEmpty else { throw FormatError(.malformed, "the list is empty") }
    return arguments
  }

  /// The entry, or for a URL the path of its local copy.
  private static func local(
    _ entry: String, line: Int, _ exists: (String) throws(FormatError) -> Bool
  ) throws(FormatError) -> String {
    guard let (scheme, rest) = URLText.parts(of: entry) else { return entry }
    if scheme == "file" { return rest.hasPrefix("/") ? rest : "/" + rest }
    let copies = [rest, rest.split(separator: "/").dropFirst().joined(separator: "/")]
    for copy in copies where !copy.isEmpty {
      if try exists(copy) { return copy }
    }
    throw FormatError(
      .unsupported,
      "line \(line) names '\(entry)', and there is no copy of it here as "
        + copies.map { "'\($0)'" }.joined(separator: " or "),
      hint: "fetch it first, with 'wget -x' for instance: checkpoints are read from local files")
  }
}

extension StringProtocol {
  /// The text without white space at its ends.
  fileprivate var trimmed: String {
    let start = drop(while: \.isWhitespace)
    let end = start.lastIndex { !$0.isWhitespace }
    return end.map { String(start[...$0]) } ?? ""
  }
}
