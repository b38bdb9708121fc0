internal import CkptCopy

/// The table of the whole command line, which the parser, help, manual and completions use.
enum FlagTable {
  static let program = "ckptconv"
  static let summary =
    "convert PyTorch checkpoints to safetensors and back without running their code"
  static let manual = """
    Converts training checkpoints from one format to another, without Python and without running
    pickles. INPUT is a file or a checkpoint directory. The file type is detected from the content,
    not from the name. Nothing is lost silently. Existing files are never replaced without
    `--force`.
    """

  /// All commands, grouped by purpose, in the order of the manual.
  static let groups = [
    CommandGroup(
      "convert",
      PtToSafetensors.self, SafetensorsToPt.self, OLMoToHF.self, HFToOLMo.self, Unshard.self,
      ReshardCommand.self, ConfigCommand.self),
    CommandGroup(
      "look", InspectCommand.self, DiffCommand.self, StatsCommand.self, ExportCommand.self),
    CommandGroup("prove", VerifyCommand.self, RoundTripCommand.self),
    CommandGroup("check", CheckCommand.self, ScanCommand.self),
    CommandGroup("many", BatchCommand.self),
    CommandGroup("help", HelpCommand.self),
  ]

  /// All commands, in the order of the manual.
  static let commands = groups.flatMap(\.commands)

  /// The flags without a command, then those of every command.
  static let programFlags: [BoundFlag<ProgramOptions>] =
    ProgramOptions.flags + SharedOptions.flags.map { $0.lifted(to: \.shared) }

  /// The pages of all commands.
  static let pages = groups.flatMap(\.pages)

  /// Returns the page of a command, such as `batch pt-to-safetensors`.
  static func page(named name: String?) -> CommandPage? {
    (pages + pages.flatMap(\.subpages)).first { $0.name == name }
  }

  /// The usage line of the program.
  static var usage: String { "\(program) COMMAND [FLAG...] INPUT..." }

  /// Returns the error for a flag that is not among those accepted at its place.
  static func unknownFlag(_ name: String, among known: [Flag]) -> UsageError {
    let owners = pages.filter { page in page.ownFlags.contains { $0.isCalled(name) } }
    if !owners.isEmpty { return .foreignFlag(name, of: owners.map(\.name)) }
    if ProgramOptions.flags.contains(where: { $0.flag.isCalled(name) }) {
      return .programFlag(name)
    }
    return .unknownFlag(name, among: known.map { "--\($0.long)" })
  }
}

/// Commands with one purpose.
struct CommandGroup: Sendable {
  /// The purpose in one word.
  let title: String
  let commands: [any Command.Type]
  /// The pages of the commands.
  let pages: [CommandPage]

  init(_ title: String, _ commands: any Command.Type...) {
    self.title = title
    self.commands = commands
    pages = commands.map { CommandPage($0) }
  }
}

/// The flags that every command has.
struct SharedOptions: Sendable {
  /// The kind of help that was requested.
  var help: HelpLength?
  var json = false
  var quiet = false
  /// The use of colors; `nil` means ``ColorChoice/auto``.
  var color: ColorChoice?
  /// The number of threads that copy data; `nil` means one for each processor.
  var threads: Int?
  /// All flags of the command line, sorted by name, in the form of ``ArgumentParser/given``.
  var given: [String] = []

  static let flags: [BoundFlag<SharedOptions>] = [
    helpFlag,
    .toggle(
      "json", \.json, in: .everywhere, "print the result as JSON on standard output",
      manual: """
        Prints the result on standard output as JSON, one object per line. Messages, warnings and
        errors go to standard error.
        """),
    .toggle(
      "quiet", short: "q", \.quiet, in: .everywhere, "print only warnings and errors",
      manual: """
        Prints only warnings and errors. The exit code tells the result.
        """),
    .choice(
      "color", "WHEN", \.color, in: .everywhere, "use colors: auto, always or never",
      manual: "The use of colors in messages. The default is `auto`."),
    .number(
      "threads", "N", \.threads, atLeast: 1, atMost: 256, in: .everywhere,
      "copy with N threads",
      manual: """
        The number of threads that copy data. The default is one for each processor. The outputs do
        not depend on it.
        """),
  ]

  private static let helpFlag = BoundFlag<SharedOptions>(
    flag: Flag(
      long: "help", short: "h", argument: .none, section: .everywhere,
      summary: "print a summary (-h) or the manual (--help)",
      manual: """
        `-h` prints a summary that fits a small terminal. `--help` prints the manual of the command,
        like `ckptconv help` COMMAND.
        """)
  ) { options, name in options.help = name == "-h" ? .summary : .manual }
}

extension SharedOptions {
  /// The limits for the work of a command, and the signal that cancels it.
  var budget: CopyBudget {
    CopyBudget(threads: threads, cancellation: Interruption.cancellation)
  }
}

/// A kind of help.
enum HelpLength: Sendable {
  /// A summary that fits a small terminal.
  case summary
  /// The complete manual.
  case manual
}

/// The flags without a command.
struct ProgramOptions: Sendable {
  var shared = SharedOptions()
  var version = false
  var generate: GeneratedText?

  static let flags: [BoundFlag<ProgramOptions>] = [
    .toggle(
      "version", short: "V", \.version, in: .program, "print the version",
      manual: "Prints the version on standard output."),
    .choice(
      "generate", "KIND", \.generate, in: .program, "print the man page or shell completions",
      manual: """
        Prints a man page or shell completions, generated from the table of flags that the parser
        uses. `make install` installs them.
        """),
  ]
}
