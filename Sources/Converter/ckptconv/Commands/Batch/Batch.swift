internal import Bytes

/// `ckptconv batch`: what all of its verbs have in common.
struct Batch: Command {
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
    BatchOf<PtToSafetensors>.self,
    BatchOf<SafetensorsToPt>.self,
    BatchOf<OLMoToHF>.self,
    BatchOf<HFToOLMo>.self,
    BatchOf<Config>.self,
    BatchOf<Verify>.self,
    BatchOf<RoundTripCommand>.self,
    BatchOf<Check>.self,
  ]
  static let flags: [BoundFlag<Batch>] = BatchOptions.flags.map { $0.lifted(to: \.options) }

  private var options = BatchOptions()

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {}

  /// Never: a verb is a command of its own.
  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(FormatError) -> ExitCode {
    preconditionFailure("the parser goes on with the verb")
  }
}
