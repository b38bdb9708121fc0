internal import CkptBase

/// `ckptconv help`: the pages of the manual.
struct HelpCommand: Command {
  static let name = "help"
  static let summary = "explain a command or a topic"
  static let manual = """
    Prints the manual of a command, of a verb of `batch`, or of a topic. Without an argument it
    lists the commands and topics.
    """
  static let examples = [
    Example(line: "ckptconv help safety", purpose: "Read about the safety of pickles:")
  ]
  static let operands = Operands(usage: "[COMMAND|TOPIC]", minimum: 0, maximum: 2, arePaths: false)
  static let flags: [BoundFlag<HelpCommand>] = []

  /// The names of all pages.
  static var pageNames: [String] { FlagTable.pages.map(\.name) + Topic.all.map(\.name) }

  private var page: HelpPage?

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    guard !operands.isEmpty else { return }
    page = try HelpPage(named: operands.joined(separator: " "))
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    try console.print(
      page?.text(.manual, columns: console.columns) ?? HelpPage.program.text(.summary))
    return .done
  }
}

/// A page of the manual.
enum HelpPage: Sendable {
  case program
  case command(CommandPage)
  case topic(Topic)

  /// Finds the page of a command or topic.
  ///
  /// - Throws: an error for an unknown name.
  init(named name: String) throws(UsageError) {
    if let page = FlagTable.page(named: name) {
      self = .command(page)
    } else if let topic = Topic.all.first(where: { $0.name == name }) {
      self = .topic(topic)
    } else {
      throw .unknownPage(name, among: HelpCommand.pageNames)
    }
  }

  /// Returns the page as text for a terminal of `columns`, by default of 80.
  func text(_ length: HelpLength, columns: Int? = nil) -> String {
    let printer = PlainText(columns: columns)
    return switch (self, length) {
    case (.program, .summary): HelpSummary.program
    case (.command(let page), .summary): HelpSummary.command(page)
    case (.program, .manual): printer.render(Manual.program)
    case (.command(let page), .manual): printer.render(Manual.command(page))
    case (.topic(let topic), _): printer.render(Manual.topic(topic))
    }
  }
}
