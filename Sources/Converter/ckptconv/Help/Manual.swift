/// Builds the pages of the manual from the table of commands and flags.
enum Manual {
  /// The page of the program, which `--help` prints.
  static var program: Document {
    Document(
      title: FlagTable.program, summary: FlagTable.summary,
      sections: [
        Document.Section(title: "Usage", blocks: [.code([FlagTable.usage])]),
        description,
        Document.Section(
          title: "Commands",
          blocks: FlagTable.groups.map { group in
            .definition(group.title, [.list(group.pages.map { ($0.name, $0.summary) })])
          }),
      ] + flagSections(FlagTable.programFlags.map(\.flag)) + [
        Document.Section(title: "Topics", blocks: [.list(Topic.all.map { ($0.name, $0.summary) })]),
        exitCodes,
      ])
  }

  /// Returns the page of one command.
  static func command(_ page: CommandPage) -> Document {
    Document(
      title: "\(FlagTable.program) \(page.name)", summary: page.summary,
      sections: [
        Document.Section(title: "Usage", blocks: [.code([page.usage])])
      ] + examples(page.examples) + [
        Document.Section(title: "Description", blocks: [.text(page.manual)])
      ] + flagSections(page.flags) + [exitCodes])
  }

  /// Returns the page of one topic.
  static func topic(_ topic: Topic) -> Document {
    Document(
      title: "\(FlagTable.program) help \(topic.name)", summary: topic.summary,
      sections: examples([topic.example]) + [
        Document.Section(title: "Description", blocks: topic.blocks)
      ])
  }

  /// The man page, with everything on one page.
  static var everything: Document {
    let commands = FlagTable.pages.map { page -> Document.Section in
      Document.Section(
        title: page.name,
        blocks: [.code([page.usage])] + page.examples.flatMap(blocks) + [.text(page.manual)]
          + page.ownFlags.map(definition))
    }
    let topics = Topic.all.map { topic in
      Document.Section(title: topic.title, blocks: blocks(topic.example) + topic.blocks)
    }
    return Document(
      title: FlagTable.program, summary: FlagTable.summary,
      sections: [
        Document.Section(title: "Synopsis", blocks: [.code(FlagTable.pages.map(\.usage))]),
        description,
      ] + commands + flagSections(FlagTable.programFlags.map(\.flag)) + topics)
  }

  private static var description: Document.Section {
    Document.Section(title: "Description", blocks: [.text(FlagTable.manual)])
  }

  private static var exitCodes: Document.Section {
    Document.Section(title: Topic.exitCodes.title, blocks: Topic.exitCodes.blocks)
  }

  private static func flagSections(_ flags: [Flag]) -> [Document.Section] {
    Flag.Section.allCases.compactMap { section in
      let members = flags.filter { $0.section == section }
      guard !members.isEmpty else { return nil }
      return Document.Section(title: section.rawValue, blocks: members.map(definition))
    }
  }

  private static func definition(_ flag: Flag) -> Document.Block {
    let choices = flag.choices.map { (term: $0.name, text: $0.meaning) }
    return .definition(
      flag.term, [.text(flag.manual)] + (choices.isEmpty ? [] : [.list(choices)]))
  }

  private static func examples(_ examples: [Example]) -> [Document.Section] {
    guard !examples.isEmpty else { return [] }
    let title = examples.count == 1 ? "Example" : "Examples"
    return [Document.Section(title: title, blocks: examples.flatMap(blocks))]
  }

  private static func blocks(_ example: Example) -> [Document.Block] {
    [.text(example.purpose), .code(["$ \(example.line)"])]
  }
}

/// Builds the output of `-h`: one line for each item, small enough for a terminal of 80 by 24.
enum HelpSummary {
  /// The grouped commands, the flags of all of them, and the topics.
  static var program: String {
    let topics = Topic.all.map(\.name).joined(separator: ", ")
    return """
      usage: \(FlagTable.usage)
      \(sentence(FlagTable.summary))

      \(commands)

      Flags of every command: \(sharedFlags)
      '\(FlagTable.program) COMMAND -h' lists the flags of a command.
      '\(FlagTable.program) help TOPIC': \(topics).

      """
  }

  /// The commands, one on each line, with the title of their group before the first.
  ///
  /// The last line of the summary says what `help` does.
  private static var commands: String {
    let titleWidth = termWidth(FlagTable.groups.map(\.title))
    let nameWidth = termWidth(FlagTable.pages.map(\.name))
    let lines = FlagTable.groups.filter { $0.title != HelpCommand.name }.flatMap { group in
      group.pages.enumerated().map { index, page in
        let title = (index == 0 ? group.title : "").padded(to: titleWidth)
        return "\(title)  \(page.name.padded(to: nameWidth))  \(page.summary)"
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Returns a command's own flags and those of every command.
  static func command(_ page: CommandPage) -> String {
    let shared = SharedOptions.flags.map(\.flag)
    guard page.subpages.isEmpty else { return group(page) }
    let width = termWidth(page.flags.map(indentedTerm))
    let selection = page.ownFlags.filter { $0.section == .selection }
    let own = page.ownFlags.filter { $0.section != .selection }
    // A screen has 23 lines for flags, usage, summary and pointer.
    let isLong = !selection.isEmpty || own.count + shared.count > 17
    var blocks = (isLong ? [own] : [own, shared]).filter { !$0.isEmpty }
      .map { flags in list(flags.map { (indentedTerm($0), $0.summary) }, termWidth: width) }
    if isLong {
      let names = selection.map { "--\($0.long)" }.joined(separator: " ")
      blocks.append(
        (names.isEmpty ? "" : "Flags for a part of INPUT: \(names)\n")
          + "Flags of every command: \(sharedFlags)")
    }
    return """
      usage: \(page.usage)
      \(sentence(page.summary))

      \(blocks.joined(separator: "\n\n"))

      \(pointer(page))

      """
  }

  /// Returns the flags that the subcommands of a command share.
  private static func group(_ page: CommandPage) -> String {
    let own = page.ownFlags.map { (indentedTerm($0), $0.summary) }
    return """
      usage: \(page.usage)
      \(sentence(page.summary))
      \(PlainText().wrap("VERB: " + page.words.joined(separator: ", "), hanging: 6))

      \(list(own))

      Flags of every command: \(sharedFlags)
      '\(FlagTable.program) \(page.name) VERB -h' lists the flags of a verb, --help prints the manual.

      """
  }

  /// The names of the flags of every command, on one line.
  private static var sharedFlags: String {
    SharedOptions.flags.map { "--\($0.flag.long)" }.joined(separator: " ")
  }

  /// Returns the line that points to the manual.
  private static func pointer(_ page: CommandPage) -> String {
    guard let parent = page.parent else {
      return "'\(FlagTable.program) help \(page.name)' prints the manual."
    }
    return """
      '\(FlagTable.program) \(parent) -h' lists the flags of \(parent), --help prints the manual.
      """
  }

  private static func sentence(_ summary: String) -> String {
    "\(summary.prefix(1).uppercased())\(summary.dropFirst())."
  }

  /// Indents a flag without a letter, so that long names are aligned.
  private static func indentedTerm(_ flag: Flag) -> String {
    flag.short == nil ? "    \(flag.term)" : flag.term
  }

  private static func termWidth(_ terms: [String]) -> Int { terms.map(\.count).max() ?? 0 }

  private static func list(_ rows: [(term: String, text: String)], termWidth: Int? = nil) -> String
  {
    let width = termWidth ?? Self.termWidth(rows.map(\.term))
    return rows.map { "  \($0.term.padded(to: width))  \($0.text)" }.joined(separator: "\n")
  }
}
