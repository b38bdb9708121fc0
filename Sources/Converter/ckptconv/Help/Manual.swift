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
