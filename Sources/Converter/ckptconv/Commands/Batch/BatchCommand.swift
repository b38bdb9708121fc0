internal import CkptBase
internal import CkptBatch

/// `ckptconv batch`: the parts that all verbs share.
struct BatchCommand: Command {
  static let name = "batch"
  static let summary = "run a command on many inputs, in parallel, resumable"
  static let manual = """
    Runs VERB on every INPUT and writes the outputs below ROOT, in the same tree as the inputs.
    `verify` compares the inputs with such a tree; `roundtrip` and `check` need no ROOT. All flags
    of the verb are accepted, unless the batch has its own flag for it.

    INPUT is a file, a checkpoint directory, a directory to search for checkpoint directories, or a
    quoted pattern with `*`, `?`, `[a-z]` and `**`. Everything is planned before the first byte is
    written: missing inputs, outputs that exist or share a name, and free space. A plan with errors
    is refused, unless `--keep-going` is given.

    A journal in ROOT/.ckptconv-batch records each item when its outputs are safely on the disk.
    After Control-C, a crash, a full disk or a power failure, run the same command with `--resume`:
    finished items are skipped, half-done ones are done again.

    Processes on several machines share a batch with `--shard`; in a Slurm job array it is set
    automatically. `--jobs` is the number of items to process at once. They share the threads and
    the memory of one.
    """
  static let examples = [
    Example(
      line: "ckptconv batch pt-to-safetensors runs -o converted --keep-going --resume",
      purpose: "Convert every step of every run, or continue after an interruption:"),
    Example(
      line: "ckptconv batch verify runs -o converted",
      purpose: "Compare every step with its converted files:"),
    Example(
      line: "ckptconv batch pt-to-safetensors --dry-run 'runs/*/step*000-unsharded' -o converted",
      purpose: "Print the plan without running it:"),
    Example(
      line: "ckptconv batch pt-to-safetensors --from steps.csv --shard 3/8 -o converted",
      purpose: "Convert the third of eight parts of a list:"),
  ]
  static let operands = Operands(
    usage: "VERB INPUT... -o ROOT", minimum: 1, maximum: nil, arePaths: true)
  static let subcommands: [any Command.Type] = [
    BatchVerbCommand<PtToSafetensors>.self,
    BatchVerbCommand<SafetensorsToPt>.self,
    BatchVerbCommand<OLMoToHF>.self,
    BatchVerbCommand<HFToOLMo>.self,
    BatchVerbCommand<ReshardCommand>.self,
    BatchVerbCommand<ConfigCommand>.self,
    BatchVerbCommand<VerifyCommand>.self,
    BatchVerbCommand<RoundTripCommand>.self,
    BatchVerbCommand<CheckCommand>.self,
    BatchVerbCommand<StatsCommand>.self,
  ]
  static let flags: [BoundFlag<BatchCommand>] = BatchOptions.flags.map { $0.lifted(to: \.options) }

  private var options = BatchOptions()

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {}

  /// Never called: each verb is a command of its own.
  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    preconditionFailure("the parser continues with the verb")
  }
}

/// `ckptconv batch VERB`, for one verb.
struct BatchVerbCommand<Verb: BatchableCommand>: Command {
  static var name: String { "\(BatchCommand.name) \(Verb.name)" }
  static var summary: String { Verb.summary }
  static var manual: String {
    [
      Verb.manual, Verb.batchManual,
      "`ckptconv help \(BatchCommand.name)` describes the flags that all batches have.",
    ].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
  static var examples: [Example] { [] }
  static var operands: Operands {
    Operands(
      usage: Verb().batchVerb().needsRoot ? "INPUT... -o ROOT" : "INPUT... [-o ROOT]", minimum: 0,
      maximum: nil, arePaths: true)
  }
  static var parent: (any Command.Type)? { BatchCommand.self }

  /// The flags of the batch, then the flags of the verb that the batch does not have itself.
  static var flags: [BoundFlag<BatchVerbCommand>] {
    BatchOptions.flags.map { $0.lifted(to: \.options) } + verbFlags.map { $0.lifted(to: \.verb) }
  }

  private static var verbFlags: [BoundFlag<Verb>] {
    let own = Set(BatchOptions.flags.map(\.flag.long)).union(Verb.flagsOfOneInput)
    return Verb.flags.filter { !own.contains($0.flag.long) }
  }

  /// The flags of the verb that refer to a single input.
  static var refusedFlags: [BoundFlag<BatchVerbCommand>] {
    Verb.flags.map(\.flag).filter { Verb.flagsOfOneInput.contains($0.long) }.map { flag in
      BoundFlag(flag: flag) { _, _ throws(UsageError) in
        throw UsageError(
          "--\(flag.long) is for a single checkpoint; a batch has many",
          hint: "use it with '\(FlagTable.program) \(Verb.name)'")
      }
    }
  }

  private var options = BatchOptions()
  private var verb = Verb()

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try verb.checkForBatch(operands, shared)
    try options.check(operands, writing: verb.batchVerb())
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    // These flags decide the content of outputs. A run with other values is another batch.
    let names = Set(Self.verbFlags.map(\.flag).filter { $0.section != .output }.map(\.long))
    let settings = shared.given.filter { given in
      names.contains(String(given.dropFirst(2).prefix { $0 != "=" }))
    }.joined(separator: " ")
    let session = BatchSession(
      verb: verb.batchVerb(), options, settings: settings, shared, console)
    return try session.run(on: operands)
  }
}

/// A command that `ckptconv batch` can run on many inputs.
protocol BatchableCommand: Command {
  /// Returns the command as a verb of a batch, with its flags.
  func batchVerb() -> any BatchVerb

  /// The paragraphs to add to the manual of the verb.
  static var batchManual: String { get }

  /// The names of flags that refer to a single input; a batch refuses them.
  static var flagsOfOneInput: Set<String> { get }

  /// Refuses flags that exclude each other. The output belongs to the batch.
  mutating func checkForBatch(_ operands: [String], _ shared: SharedOptions) throws(UsageError)
}

extension BatchableCommand {
  /// Empty: most commands do the same in a batch.
  static var batchManual: String { "" }

  /// Empty: most flags apply to any number of inputs.
  static var flagsOfOneInput: Set<String> { [] }

  /// Refuses the same as the command itself.
  mutating func checkForBatch(
    _ operands: [String], _ shared: SharedOptions
  ) throws(UsageError) {
    try check(operands, shared)
  }
}

extension PtToSafetensors: BatchableCommand {
  static var flagsOfOneInput: Set<String> { ["manifest"] }

  func batchVerb() -> any BatchVerb { ConversionVerb(name: Self.name, options) }
}

extension SafetensorsToPt: BatchableCommand {
  static var flagsOfOneInput: Set<String> { ["manifest"] }

  func batchVerb() -> any BatchVerb { ConversionVerb(name: Self.name, options) }
}
