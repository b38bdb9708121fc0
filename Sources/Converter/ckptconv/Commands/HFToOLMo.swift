internal import CkptBase
internal import CkptBatch
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptHuggingFace

/// `ckptconv hf-to-olmo`.
struct HFToOLMo: Command {
  static let name = "hf-to-olmo"
  static let summary = "convert a Hugging Face model to an OLMo checkpoint"
  static let manual = """
    Converts DIR, a model that `save_pretrained` wrote, to a checkpoint that OLMo's trainer loads:
    `model.pt`, `config.yaml` and `train.pt`. The weights can be in one file or in shards, as
    `.safetensors` or `.bin`. The classes are Olmo2ForCausalLM, OlmoForCausalLM and
    LlamaForCausalLM. A model that OLMo's trainer cannot compute is refused, with the setting that
    is the reason.

    Tensors are renamed, and some are joined into the fused tensors of OLMo. Values do not change,
    unless `--dtype` is given. Before anything is written, the name and shape of every tensor are
    compared with `config.json`.

    A directory from `ckptconv olmo-to-hf` is restored: `model.pt` and, if it was included,
    `optim.pt` are identical to the originals, byte for byte. If the trainer's state is missing, an
    empty `train.pt` is written, because the trainer needs one. The flags to start the trainer are
    printed.

    The trainer recognizes an unsharded checkpoint by its directory name, which must end in
    `-unsharded`.
    """
  static let examples = [
    Example(
      line: "ckptconv hf-to-olmo OLMo-2-0425-1B -o olmo2-1b-unsharded --config OLMo2-1B.yaml",
      purpose: "Continue pretraining from published weights:"),
    Example(
      line: "ckptconv hf-to-olmo olmo-hf -o step1000-unsharded --optimizer-names fsdp",
      purpose: "Convert back from Hugging Face, for a trainer with FSDP:"),
  ]
  static let operands = Operands.directory

  private var output: String?
  private var options = HuggingFaceToOLMo.Options()
  private var target: TargetTrainer?
  private var format: TrainerFormat?
  private var dtype: WeightDType?
  private var destination = ""

  static let flags: [BoundFlag<HFToOLMo>] =
    [.outputDirectory(\.output)] + DirectoryOptions.flags.map { $0.lifted(to: \.options.folder) }
    + [
      .choice(
        "to", "TRAINER", \.target, in: .content, "write for olmo or olmo-core; default olmo",
        manual: """
          The trainer that loads the output. The default is `olmo`. For `olmo-core` the output is the
          model part of a checkpoint: `model.pt` or `model.safetensors` with OLMo-core's names,
          `optim` if the input has `optimizer.safetensors`, and a `config.json` with the model, the
          tokenizer and the sequence length. OLMo-core also has Olmo3ForCausalLM.
          """),
      .choice(
        "as", "FORMAT", \.format, in: .content, "write pt or safetensors",
        manual: """
          The format of the weights and the optimizer state. The default is `pt`. `safetensors` uses
          the layout `olmo`, which OLMo's trainer reads.
          """),
      .choice(
        "dtype", "TYPE", \.dtype, in: .content, "cast weights to bf16, f16 or f32",
        manual: """
          Casts the weights, rounding to nearest even like PyTorch. Without this flag they keep their
          bits. OLMo's trainer computes with float32 copies in any case.
          """),
      .path(
        "config", "YAML", \.options.template, in: .content,
        "read missing settings from a config.yaml",
        manual: """
          A `config.yaml` of OLMo's trainer with the settings that `config.json` does not have:
          optimizer, data, schedule and weight initialization. Without it the model has the values
          of OLMo's official models, and the output has only the `model:` section.
          """),
      .optimizerNames(
        \.options.optimizerNames, otherwise: "the form that it had in OLMo, otherwise `fsdp`"),
      .tokenizer(\.options.tokenizer),
    ]

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try checkForBatch(operands, shared)
    guard let output else { throw .missingDirectory(of: Self.name) }
    destination = output
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    try HuggingFaceToOLMo(options).run(operands[0], to: destination, shared, console)
  }
}

extension HFToOLMo: BatchableCommand {
  mutating func checkForBatch(
    _ operands: [String], _ shared: SharedOptions
  ) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    options.folder.budget = shared.budget
    if let format { options.format = format == .pt ? .torch : .safetensors }
    options.dtype = dtype.map(DType.init)
    options.targetsOLMoCore = target == .olmoCore
    guard options.targetsOLMoCore else { return }
    if options.template != nil {
      throw .conflict("--config", "--to olmo-core", because: "its template is for OLMo's trainer")
    }
    if options.optimizerNames != nil {
      throw .conflict(
        "--optimizer-names", "--to olmo-core", because: "OLMo-core always uses names")
    }
  }

  func batchVerb() -> any BatchVerb {
    FolderVerb(name: Self.name, HuggingFaceToOLMo(options))
  }
}

/// A trainer to write a checkpoint for.
enum TargetTrainer: String, FlagChoice {
  case olmo
  case olmoCore = "olmo-core"

  var meaning: String {
    switch self {
    case .olmo: "the trainer of OLMo"
    case .olmoCore: "the model part for OLMo-core"
    }
  }
}

/// A format that OLMo's trainer loads.
enum TrainerFormat: String, FlagChoice {
  case pt, safetensors

  var meaning: String {
    switch self {
    case .pt: "model.pt and optim.pt"
    case .safetensors: "model.safetensors and optim.safetensors, layout olmo"
    }
  }
}
