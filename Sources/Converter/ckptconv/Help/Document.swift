/// A text in sections, the source of both the terminal manual and the man page.
///
/// Running text is wrapped when it is printed. An empty line separates paragraphs; backquotes
/// enclose literal text.
struct Document: Sendable {
  /// A piece of a section.
  indirect enum Block: Sendable {
    /// Paragraphs of running text.
    case text(String)
    /// A term on a line of its own, with its explanation.
    case definition(String, [Block])
    /// Short terms, each with one line of text.
    case list([(term: String, text: String)])
    /// Lines that are printed unchanged.
    case code([String])
  }

  /// A heading and the blocks below it.
  struct Section: Sendable {
    let title: String
    let blocks: [Block]
  }

  let title: String
  let summary: String
  let sections: [Section]

  /// Splits running text into paragraphs of one line each.
  static func paragraphs(of text: String) -> [String] {
    // Splitting by lines avoids the regular expression engine, which adds 1.5 MB to the program.
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .split(whereSeparator: \.isEmpty)
      .map { lines in
        lines.flatMap { $0.split(whereSeparator: \.isWhitespace) }.joined(separator: " ")
      }
  }
}

/// Prints a ``Document`` for a terminal.
struct PlainText {
  private static let step = 4
  /// The range of widths that are comfortable to read.
  private static let widths = 39...99
  private static let usualWidth = 79

  private let width: Int

  /// Creates a printer for a terminal of `columns`, by default of 80.
  init(columns: Int? = nil) {
    let width = columns.map { $0 - 1 } ?? Self.usualWidth
    self.width = min(max(width, Self.widths.lowerBound), Self.widths.upperBound)
  }

  /// Returns the whole document, with a line feed at its end.
  func render(_ document: Document) -> String {
    var lines = wrap("\(document.title): \(document.summary)", indent: 0)
    for section in document.sections {
      lines += ["", section.title]
      lines += join(section.blocks.map { render($0, indent: Self.step) })
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func render(_ block: Document.Block, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    switch block {
    case .text(let text):
      return join(Document.paragraphs(of: text).map { wrap(literal($0), indent: indent) })
    case .definition(let term, let blocks):
      return ["\(margin)\(term)"] + join(blocks.map { render($0, indent: indent + Self.step) })
    case .list(let rows):
      let width = rows.map(\.term.count).max() ?? 0
      return rows.flatMap { row in
        let text = join(
          Document.paragraphs(of: row.text).map { wrap(literal($0), indent: indent + width + 2) })
        let first = text.first.map { $0.dropFirst(indent + width) } ?? ""
        return ["\(margin)\(row.term.padded(to: width))\(first)"] + text.dropFirst()
      }
    case .code(let lines):
      return lines.map { "\(margin)\($0)" }
    }
  }

  /// Joins blocks of lines, with an empty line between them.
  private func join(_ blocks: [[String]]) -> [String] {
    Array(blocks.joined(separator: [""]))
  }

  private func literal(_ text: String) -> String { text.filter { $0 != "`" } }

  /// Wraps text into lines, all but the first one indented.
  func wrap(_ text: String, hanging indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    return wrap(text, first: "", margin).joined(separator: "\n")
  }

  private func wrap(_ text: String, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    return wrap(text, first: margin, margin)
  }

  private func wrap(_ text: String, first: String, _ margin: String) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append("\(lines.isEmpty ? first : margin)\(word)")
      }
    }
    return lines
  }
}
