/// A text that the program generates about itself.
enum GeneratedText: String, FlagChoice {
  case man, bash, zsh, fish

  var meaning: String {
    switch self {
    case .man: "the manual page, for man(1)"
    case .bash: "completions for bash"
    case .zsh: "completions for zsh"
    case .fish: "completions for fish"
    }
  }

  /// The text, with a line feed at its end.
  var content: String {
    switch self {
    case .man: ManPage.render(Manual.everything, version: Version.current)
    case .bash: BashCompletion.script
    case .zsh: ZshCompletion.script
    case .fish: FishCompletion.script
    }
  }
}

/// Prints a ``Document`` as a man page, with the `man` macros of roff.
enum ManPage {
  /// Returns the whole document, with a line feed at its end.
  static func render(_ document: Document, version: String) -> String {
    let name = document.title
    var lines = [
      ".TH \(name.uppercased()) 1 \"\" \"\(name) \(version)\" \"User Commands\"",
      ".SH NAME",
      "\(escape(name)) \\- \(escape(document.summary))",
    ]
    for section in document.sections {
      lines.append(".SH \(escape(section.title.uppercased()))")
      lines += withoutLeadingBreak(render(section.blocks))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func render(_ blocks: [Document.Block]) -> [String] {
    blocks.flatMap { block -> [String] in
      switch block {
      case .text(let text):
        return Document.paragraphs(of: text).flatMap { [".PP", line(markUp($0))] }
      case .definition(let term, let inner):
        return [".TP", line("\\fB\(escape(term))\\fR")] + render(definition: inner)
      case .list(let rows):
        return rows.flatMap { row in
          [".TP", line("\\fB\(escape(row.term))\\fR")]
            + render(definition: [.text(row.text)])
        }
      case .code(let lines):
        return [".PP", ".EX", ".RS 4"] + lines.map { line(escape($0)) } + [".RE", ".EE"]
      }
    }
  }

  /// Renders a definition.
  ///
  /// The first paragraph follows its term; the others are indented like it.
  private static func render(definition blocks: [Document.Block]) -> [String] {
    let lines = withoutLeadingBreak(render(blocks))
    guard lines.count > 1 else { return Array(lines) }
    return lines.prefix(1) + [".RS"] + lines.dropFirst() + [".RE"]
  }

  /// Removes the break before a paragraph that follows a heading or a term.
  private static func withoutLeadingBreak(_ lines: [String]) -> ArraySlice<String> {
    lines.first == ".PP" ? lines.dropFirst() : lines[...]
  }

  /// Returns a line of text, escaped so that roff does not take it for a request.
  private static func line(_ text: String) -> String {
    text.hasPrefix(".") ? "\\&\(text)" : text
  }

  /// Makes backquoted words bold.
  private static func markUp(_ text: String) -> String {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .map { $0.offset.isMultiple(of: 2) ? escape($0.element) : "\\fB\(escape($0.element))\\fR" }
      .joined()
  }

  /// Escapes text.
  ///
  /// Plain hyphens and quotes would be typeset and could not be copied to a shell.
  private static func escape(_ text: some StringProtocol) -> String {
    text.reduce(into: "") { escaped, character in
      switch character {
      case "\\": escaped += "\\e"
      case "-": escaped += "\\-"
      case "'": escaped += "\\(aq"
      default: escaped.append(character)
      }
    }
  }
}
