/// A text in sections, from which the terminal's manual and the man page are both written.
///
/// Running text is wrapped by whoever prints it; an empty line separates paragraphs, and backquotes
/// enclose what is typed literally.
struct Document: Sendable {
  /// A piece of a section.
  indirect enum Block: Sendable {
    /// Paragraphs of running text.
    case text(String)
    /// A term on a line of its own and what there is to say of it.
    case definition(String, [Block])
    /// Short terms beside one line of text each.
    case list([(term: String, text: String)])
    /// Lines to be printed as they are.
    case code([String])
  }

  /// A heading and what stands below it.
  struct Section: Sendable {
    let title: String
    let blocks: [Block]
  }

  let title: String
  let summary: String
  let sections: [Section]

  /// The paragraphs of running text, each as one line.
  static func paragraphs(of text: String) -> [String] {
    // By lines: to split at a string of two would link the regular expression engine, 1.5 MB.
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .split(whereSeparator: \.isEmpty)
      .map { lines in
        lines.flatMap { $0.split(whereSeparator: \.isWhitespace) }.joined(separator: " ")
      }
  }
}
