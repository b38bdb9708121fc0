internal import CkptBase
internal import CkptBatch

/// `ckptconv batch`: what all of its verbs have in common.
struct BatchCommand: Command {
  static let name = "batch"
  static let summary = "do one command to many inputs, resumable and in parallel"
  static let manual = """
    Does VERB to every INPUT and writes the outputs into a tree below ROOT that is that of the inputs;
    `verify` compares the inputs with such a tree, `roundtrip` and `check` need none. All flags of the
    verb can be given, except where the batch has one of its own.

    INPUT is a file, a checkpoint directory, a directory in which checkpoint directories are searched
    for, or a quoted pattern with `*`, `?`, `[a-z]` and `**`. Everything is planned before the first
    byte is written: outputs that exist or that have one name, inputs that are missing, the free
    space. The plan is refused if anything is wrong with it, unless `--keep-going` is given.

    What is done is written into a journal in ROOT/.ckptconv-batch, item by item, when it is on the
    disk. After Control-C, a kill, a full disk or a power failure, the same command with `--resume`
    goes on: items that are still what the journal says are skipped, half-done ones are done again.

    Processes on several machines share a batch with `--shard`, which is taken from Slurm in a job
    array. `--jobs` items are done at once within the threads and the memory of one.
    """
  static let examples = [
    Example(
      line: "ckptconv batch pt-to-safetensors runs -o converted --keep-going --resume",
      purpose: "Convert every step of every run, or go on with it:"),
    Example(
      line: "ckptconv batch verify runs -o converted",
      purpose: "Compare every step with what it was converted to:"),
    Example(
      line: "ckptconv batch pt-to-safetensors --dry-run 'runs/*/step*000-unsharded' -o converted",
      purpose: "See what would be done:"),
    Example(
      line: "ckptconv batch pt-to-safetensors --from steps.csv --shard 3/8 -o converted",
      purpose: "Do the third of eight parts of a list:"),
  ]
  static let operands = Operands(
    usage: "VERB INPUT... -o ROOT", minimum: 1, maximum: nil, arePaths: true)
  static let subcommands: [any Command.Type] = [
    BatchVerbCommand<PtToSafetensors>.self,
    BatchVerbCommand<SafetensorsToPt>.self,
    BatchVerbCommand<OLMoToHF>.self,
    BatchVerbCommand<HFToOLMo>.self,
    BatchVerbCommand<ConfigCommand>.self,
    BatchVerbCommand<VerifyCommand>.self,
    BatchVerbCommand<RoundTripCommand>.self,
    BatchVerbCommand<CheckCommand>.self,
  ]
  static let flags: [BoundFlag<BatchCommand>] = BatchOptions.flags.map { $0.lifted(to: \.options) }

  private var options = BatchOptions()

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {}

  /// Never: a verb is a command of its own.
  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    preconditionFailure("the parser goes on with the verb")
  }
}

/// `ckptconv batch VERB`, for one verb.
struct BatchVerbCommand<Verb: BatchableCommand>: Command {
  static var name: String { "\(BatchCommand.name) \(Verb.name)" }
  static var summary: String { Verb.summary }
  static var manual: String {
    [
      Verb.manual, Verb.batchManual,
      "What a batch adds to it, `ckptconv help \(BatchCommand.name)` explains.",
    ].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
  static var examples: [Example] { [] }
  static var operands: Operands {
    Operands(
      usage: Verb().batchVerb().needsRoot ? "INPUT... -o ROOT" : "INPUT... [-o ROOT]", minimum: 0,
      maximum: nil, arePaths: true)
  }
  static var parent: (any Command.Type)? { BatchCommand.self }

  /// The batch's flags, then those of the verb that the batch does not have itself.
  static var flags: [BoundFlag<BatchVerbCommand>] {
    BatchOptions.flags.map { $0.lifted(to: \.options) } + verbFlags.map { $0.lifted(to: \.verb) }
  }

  private static var verbFlags: [BoundFlag<Verb>] {
    let own = Set(BatchOptions.flags.map(\.flag.long)).union(Verb.flagsOfOneInput)
    return Verb.flags.filter { !own.contains($0.flag.long) }
  }

  /// The flags of the verb that are about the one input that it has elsewhere.
  static var refusedFlags: [BoundFlag<BatchVerbCommand>] {
    Verb.flags.map(\.flag).filter { Verb.flagsOfOneInput.contains($0.long) }.map { flag in
      BoundFlag(flag: flag) { _, _ throws(UsageError) in
        throw UsageError(
          "--\(flag.long) is of one checkpoint, and a batch has many",
          hint: "'\(FlagTable.program) \(Verb.name)' takes it, without \(BatchCommand.name)")
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
    // What decides the content of outputs: a run with other flags is another batch.
    let names = Set(Self.verbFlags.map(\.flag).filter { $0.section != .output }.map(\.long))
    let settings = shared.given.filter { given in
      names.contains(String(given.dropFirst(2).prefix { $0 != "=" }))
    }.joined(separator: " ")
    let session = BatchSession(
      verb: verb.batchVerb(), options, settings: settings, shared, console)
    return try session.run(on: operands)
  }
}

/// A command that `ckptconv batch` can do to many inputs.
protocol BatchableCommand: Command {
  /// The command as a verb of a batch, as its flags ask for it.
  func batchVerb() -> any BatchVerb

  /// What the manual of the verb says beside that of the command, in paragraphs.
  static var batchManual: String { get }

  /// The names of flags that mean one input, which a batch refuses.
  static var flagsOfOneInput: Set<String> { get }

  /// Refuses what does not go together; the output is the batch's.
  mutating func checkForBatch(_ operands: [String], _ shared: SharedOptions) throws(UsageError)
}

extension BatchableCommand {
  /// Nothing: most commands do in a batch what they do elsewhere.
  static var batchManual: String { "" }

  /// None: most flags hold for any number of inputs.
  static var flagsOfOneInput: Set<String> { [] }

  /// Refuses what the command itself does.
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
