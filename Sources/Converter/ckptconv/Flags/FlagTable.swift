internal import CkptCopy

/// The whole command line: what the parser reads with and everything about it is written from.
enum FlagTable {
  static let program = "ckptconv"
  static let summary = "convert PyTorch checkpoints to safetensors and back without running them"
  static let manual = """
    Turns training checkpoints from one format into another, without Python and without ever running
    a pickle. INPUT is a file, or a checkpoint directory. The kind of a file is found from its
    content, never from its name. Nothing is lost silently, and no file that exists is replaced
    unless `--force` is given.
    """

  /// Every command, in the order of the manual.
  static let commands: [any Command.Type] = [
    PtToSafetensors.self,
    SafetensorsToPt.self,
    OLMoToHF.self,
    HFToOLMo.self,
    ConfigCommand.self,
    VerifyCommand.self,
    RoundTripCommand.self,
    DiffCommand.self,
    InspectCommand.self,
    CheckCommand.self,
    ScanCommand.self,
    BatchCommand.self,
    HelpCommand.self,
  ]

  /// The flags that need no command, then those that every command has.
  static let programFlags: [BoundFlag<ProgramOptions>] =
    ProgramOptions.flags + SharedOptions.flags.map { $0.lifted(to: \.shared) }

  /// Every command as people meet it.
  static let pages: [CommandPage] = commands.map { CommandPage($0) }

  /// The page of the command that is called so, such as `batch pt-to-safetensors`.
  static func page(named name: String?) -> CommandPage? {
    (pages + pages.flatMap(\.subpages)).first { $0.name == name }
  }

  /// How the program is called, in one line.
  static var usage: String { "\(program) COMMAND [FLAG...] INPUT..." }

  /// The error for a flag, spelled as it was given, that is not among those known at its place.
  static func unknownFlag(_ name: String, among known: [Flag]) -> UsageError {
    let owners = pages.filter { page in page.ownFlags.contains { $0.isCalled(name) } }
    if !owners.isEmpty { return .foreignFlag(name, of: owners.map(\.name)) }
    if ProgramOptions.flags.contains(where: { $0.flag.isCalled(name) }) {
      return .programFlag(name)
    }
    return .unknownFlag(name, among: known.map { "--\($0.long)" })
  }
}

/// What every command can be told.
struct SharedOptions: Sendable {
  /// How much help was asked for.
  var help: HelpLength?
  var json = false
  var quiet = false
  /// `nil` means ``ColorChoice/auto``.
  var color: ColorChoice?
  /// How many threads copy data; `nil` means one for each processor.
  var threads: Int?
  /// All flags that were given, in the order of their names, as ``ArgumentParser/given`` spells them.
  var given: [String] = []

  static let flags: [BoundFlag<SharedOptions>] = [
    helpFlag,
    .toggle(
      "json", \.json, in: .everywhere, "print the result as JSON on standard output",
      manual: """
        Prints the result on standard output as JSON, one object per line, and nothing else. Messages, \
        warnings and errors stay on standard error.
        """),
    .toggle(
      "quiet", short: "q", \.quiet, in: .everywhere, "say nothing but warnings and errors",
      manual: """
        Neither progress nor what was done or found is shown: the exit code tells. Warnings and \
        errors are shown: what a conversion could not carry over is never kept quiet.
        """),
    .choice(
      "color", "WHEN", \.color, in: .everywhere, "use colors: auto, always or never",
      manual: "When messages are colored. The default is `auto`."),
    .number(
      "threads", "N", \.threads, atLeast: 1, atMost: 256, in: .everywhere,
      "copy with N threads",
      manual: """
        How many threads copy data. The default is one for each processor. The files that are \
        written do not depend on it.
        """),
  ]

  private static let helpFlag = BoundFlag<SharedOptions>(
    flag: Flag(
      long: "help", short: "h", argument: .none, section: .everywhere,
      summary: "-h prints a summary, --help the manual",
      manual: """
        `-h` prints a summary that fits a small terminal, `--help` the manual of the command. \
        `ckptconv help` COMMAND is the same as COMMAND `--help`.
        """)
  ) { options, name in options.help = name == "-h" ? .summary : .manual }
}

extension SharedOptions {
  /// What the work of a command may use, until a signal stops it.
  var budget: CopyBudget {
    CopyBudget(threads: threads, cancellation: Interruption.cancellation)
  }
}

/// How much help is asked for.
enum HelpLength: Sendable {
  /// What fits a small terminal.
  case summary
  /// Everything there is to say.
  case manual
}

/// What the program can be told without a command.
struct ProgramOptions: Sendable {
  var shared = SharedOptions()
  var version = false
  var generate: GeneratedText?

  static let flags: [BoundFlag<ProgramOptions>] = [
    .toggle(
      "version", short: "V", \.version, in: .program, "print the version",
      manual: "Prints the version of the program on standard output."),
    .choice(
      "generate", "KIND", \.generate, in: .program, "print the man page or shell completions",
      manual: """
        Prints a text made from the same table that the command line is read with. \
        `make install` puts them in their places.
        """),
  ]
}
