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
    Config.self,
    Verify.self,
    RoundTripCommand.self,
    Diff.self,
    Inspect.self,
    Check.self,
    Scan.self,
    Batch.self,
    Help.self,
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
