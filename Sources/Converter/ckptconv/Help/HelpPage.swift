/// A page that help can be asked for.
enum HelpPage: Sendable {
  case program
  case command(CommandPage)
  case topic(Topic)

  /// The page of a command or topic.
  ///
  /// - Throws: when there is none of that name.
  init(named name: String) throws(UsageError) {
    if let page = FlagTable.page(named: name) {
      self = .command(page)
    } else if let topic = Topic.all.first(where: { $0.name == name }) {
      self = .topic(topic)
    } else {
      throw .unknownPage(name, among: Help.pageNames)
    }
  }

  /// The page as text for a terminal.
  func text(_ length: HelpLength) -> String {
    switch (self, length) {
    case (.program, .summary): HelpSummary.program
    case (.command(let page), .summary): HelpSummary.command(page)
    case (.program, .manual): PlainText.render(Manual.program)
    case (.command(let page), .manual): PlainText.render(Manual.command(page))
    case (.topic(let topic), _): PlainText.render(Manual.topic(topic))
    }
  }
}
