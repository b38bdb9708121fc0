internal import Bytes

/// `ckptconv help`: the manual, page by page.
struct Help: Command {
  static let name = "help"
  static let summary = "explain a command or a topic"
  static let manual = """
    Prints the manual of a command, of a verb of `batch`, or what there is to say on a topic. Without
    an argument it lists the commands and topics.
    """
  static let examples = [
    Example(line: "ckptconv help safety", purpose: "What is read from a pickle, and what is not:")
  ]
  static let operands = Operands(usage: "[COMMAND|TOPIC]", minimum: 0, maximum: 2, arePaths: false)
  static let flags: [BoundFlag<Help>] = []

  /// Everything that it can be asked to explain.
  static var pageNames: [String] { FlagTable.pages.map(\.name) + Topic.all.map(\.name) }

  private var page: HelpPage?

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    guard !operands.isEmpty else { return }
    page = try HelpPage(named: operands.joined(separator: " "))
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(FormatError) -> ExitCode {
    try console.print(page?.text(.manual) ?? HelpPage.program.text(.summary))
    return .done
  }
}
