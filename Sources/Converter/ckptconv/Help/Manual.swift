/// Writes the pages of the manual from the table of commands and flags.
enum Manual {
  /// The page of the program, as `--help` prints it.
  static var program: Document {
    Document(
      title: FlagTable.program, summary: FlagTable.summary,
      sections: [
        Document.Section(title: "Usage", blocks: [.code([FlagTable.usage])]),
        description,
        Document.Section(
          title: "Commands", blocks: [.list(FlagTable.pages.map { ($0.name, $0.summary) })]),
      ] + flagSections(FlagTable.programFlags.map(\.flag)) + [
        Document.Section(title: "Topics", blocks: [.list(Topic.all.map { ($0.name, $0.summary) })]),
        exitCodes,
      ])
  }

  /// The page of one command.
  static func command(_ page: CommandPage) -> Document {
    Document(
      title: "\(FlagTable.program) \(page.name)", summary: page.summary,
      sections: [
        Document.Section(title: "Usage", blocks: [.code([page.usage])]),
        Document.Section(title: "Description", blocks: [.text(page.manual)]),
      ] + flagSections(page.flags) + examples(page) + [exitCodes])
  }

  /// The page of one topic.
  static func topic(_ topic: Topic) -> Document {
    Document(
      title: "\(FlagTable.program) help \(topic.name)", summary: topic.summary,
      sections: [Document.Section(title: "Description", blocks: topic.blocks)])
  }

  /// Everything on one page, for man(1).
  static var everything: Document {
    let commands = FlagTable.pages.map { page -> Document.Section in
      Document.Section(
        title: page.name,
        blocks: [.code([page.usage]), .text(page.manual)] + page.ownFlags.map(definition)
          + page.examples.flatMap(blocks))
    }
    let topics = Topic.all.map { Document.Section(title: $0.title, blocks: $0.blocks) }
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

  private static func examples(_ page: CommandPage) -> [Document.Section] {
    guard !page.examples.isEmpty else { return [] }
    return [Document.Section(title: "Examples", blocks: page.examples.flatMap(blocks))]
  }

  private static func blocks(_ example: Example) -> [Document.Block] {
    [.text(example.purpose), .code(["$ \(example.line)"])]
  }
}

/// What `-h` prints: one line for each thing, small enough for a terminal of 80 by 24.
enum HelpSummary {
  /// The commands, the flags that need none, and the topics.
  static var program: String {
    let commands = FlagTable.pages.map { ($0.name, $0.summary) }
    let flags = ProgramOptions.flags.map { (indentedTerm($0.flag), $0.flag.summary) }
    let topics = Topic.all.map(\.name).joined(separator: ", ")
    return """
      usage: \(FlagTable.usage)
      \(sentence(FlagTable.summary))

      \(list(commands))

      \(list(flags))

      With every command: \(sharedFlags)
      '\(FlagTable.program) COMMAND -h' has a command's flags, \
      '\(FlagTable.program) help TOPIC' more:
      \(topics).

      """
  }

  /// A command's own flags and those that every command has.
  static func command(_ page: CommandPage) -> String {
    let shared = SharedOptions.flags.map(\.flag)
    guard page.subpages.isEmpty else { return group(page) }
    let width = termWidth(page.flags.map(indentedTerm))
    let blocks = [page.ownFlags, shared].filter { !$0.isEmpty }
      .map { flags in list(flags.map { (indentedTerm($0), $0.summary) }, termWidth: width) }
    return """
      usage: \(page.usage)
      \(sentence(page.summary))

      \(blocks.joined(separator: "\n\n"))

      \(pointer(page))

      """
  }

  /// What is common to the commands below one.
  private static func group(_ page: CommandPage) -> String {
    let own = page.ownFlags.map { (indentedTerm($0), $0.summary) }
    let example = page.words.first ?? ""
    return """
      usage: \(page.usage)
      \(sentence(page.summary))
      \(PlainText.wrap("VERB: " + page.words.joined(separator: ", "), hanging: 6))

      \(list(own))

      As everywhere: \(sharedFlags)
      '\(FlagTable.program) \(page.name) \(example) -h' has those of a verb, \
      --help is the manual.

      """
  }

  /// The names of the flags that all commands have, which take one line.
  private static var sharedFlags: String {
    SharedOptions.flags.map { "--\($0.flag.long)" }.joined(separator: " ")
  }

  /// Where there is more.
  private static func pointer(_ page: CommandPage) -> String {
    guard let parent = page.parent else {
      return "'\(FlagTable.program) help \(page.name)' is the manual."
    }
    return """
      '\(FlagTable.program) \(parent) -h' has those of \(parent) itself, --help is the manual.
      """
  }

  private static func sentence(_ summary: String) -> String {
    "\(summary.prefix(1).uppercased())\(summary.dropFirst())."
  }

  /// Long names stand below each other whether or not there is a letter before them.
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
