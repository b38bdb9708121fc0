internal import CkptBase
internal import CkptBatch
internal import CkptHuggingFace
internal import CkptReshard

/// `ckptconv reshard`.
struct ReshardCommand: Command {
  static let name = "reshard"
  static let summary = "write a checkpoint for any number of ranks"
  static let manual = """
    Writes INPUT, a checkpoint of any kind, as a directory of `torch.distributed.checkpoint`, which
    any number of ranks can load. INPUT is a file, the directory of an OLMo step, a Hugging Face
    model, or another distributed checkpoint.

    Tensors are cut into chunks of whole rows. A rank reads whole chunks, so `--ranks` makes loading
    fast: with it, each rank of FSDP2 finds its rows in a file of its own. Other numbers of ranks
    load the same directory.

    Parameters of the optimizer get names. Each param group gets every field that PyTorch 2.2 to
    2.13 asks for, because a missing one is an error there. Notes list what was added, and what was
    left out.
    """
  static let examples = [
    Example(
      line: "ckptconv reshard step1000-unsharded -o step1000-dcp --ranks 6",
      purpose: "Continue on 6 ranks with torch.distributed.checkpoint:"),
    Example(
      line: "ckptconv reshard step1000-unsharded -o step1000 --for olmo --ranks 4",
      purpose: "Write a sharded step that OLMo's trainer loads:"),
    Example(
      line: "ckptconv reshard model.safetensors -o checkpoint --for accelerate",
      purpose: "Write a checkpoint that accelerate loads under FSDP:"),
  ]
  static let operands = Operands(usage: "INPUT", minimum: 1, maximum: 1, arePaths: true)

  private var output: String?
  private var options = Reshard.Options()
  private var target: ReshardTarget?
  private var torch: TorchRelease?
  private var destination = ""

  static let flags: [BoundFlag<ReshardCommand>] =
    [.outputDirectory(\.output)] + DirectoryOptions.flags.map { $0.lifted(to: \.options.folder) }
    + [
      .choice(
        "for", "PROGRAM", \.target, in: .content, "write for torch, olmo, olmo-core and others",
        manual: """
          The program that loads the output. It decides names, folders and the form of the optimizer
          state. The default is `torch`: keys `model` and `optim` in one directory.
          """),
      .number(
        "ranks", "N", \.options.rankCount, atLeast: 1, atMost: Reshard.Options.maximumRankCount,
        in: .content, "cut tensors for N ranks, with a file for each",
        manual: """
          Cuts each tensor into N runs of rows, as FSDP2 and `Shard(0)` divide it. Each run is in the
          file of its rank.
          """),
      .byteCount(
        "chunk-size", "SIZE", \.options.chunkByteCount, in: .content,
        "maximum size of a chunk; default 128MiB",
        manual: """
          Cuts tensors into chunks of at most SIZE, but at least one row, in one file. The default is
          `128MiB`.
          """),
      .choice(
        "optimizer", "FORM", \.options.optimizerForm, in: .content,
        "optimizer state: nested or flat",
        manual: """
          The form of the optimizer state. The default is `nested`, and `flat` for OLMo-core and
          torchtitan.
          """),
      .choice(
        "torch", "VERSION", \.torch, in: .content, "write for torch 2.3 or older",
        manual: """
          The version of PyTorch that loads the output. PyTorch 2.3 and older keep values without
          tensors, such as `param_groups`, in one piece. The default, and `2.4`, is the rule of 2.4
          and later. A flat optimizer state is the same in all versions.
          """),
    ]

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try checkForBatch(operands, shared)
    guard let output else { throw .missingDirectory(of: Self.name) }
    destination = output
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    try Reshard(options).run(operands[0], to: destination, shared, console)
  }
}

extension ReshardCommand: BatchableCommand {
  mutating func checkForBatch(
    _ operands: [String], _ shared: SharedOptions
  ) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    if options.rankCount != nil, options.chunkByteCount != nil {
      throw .conflict("--ranks", "--chunk-size", because: "both decide the size of chunks")
    }
    options.folder.budget = shared.budget
    options.target = target ?? .torch
    options.isForOldTorch = torch == .upTo23
  }

  func batchVerb() -> any BatchVerb { FolderVerb(name: Self.name, Reshard(options)) }
}

extension ReshardTarget: FlagChoice {
  var meaning: String {
    switch self {
    case .torch: "torch.distributed.checkpoint (default)"
    case .olmo: "the trainer of OLMo (sharded_checkpointer: torch_new)"
    case .olmoCore: "the trainer of OLMo-core; tensors must have its names"
    case .accelerate: "accelerate and the trainer of transformers, under FSDP"
    case .torchtitan: "torchtitan"
    }
  }
}

extension OptimizerForm: FlagChoice {
  var meaning: String {
    switch self {
    case .nested: "state and a list of param_groups"
    case .flat: "an entry for each value and parameter"
    }
  }
}

/// A range of PyTorch releases with one rule for flattening state dicts.
enum TorchRelease: String, FlagChoice {
  case upTo23 = "2.3"
  case from24 = "2.4"

  var meaning: String {
    switch self {
    case .upTo23: "versions up to 2.3"
    case .from24: "versions from 2.4 on (default)"
    }
  }
}
