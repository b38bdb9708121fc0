internal import CkptBase
internal import CkptBatch
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptHuggingFace

/// `ckptconv hf-to-olmo`.
struct HFToOLMo: Command {
  static let name = "hf-to-olmo"
  static let summary = "convert a Hugging Face folder to an OLMo checkpoint"
  static let manual = """
    Converts DIR, a folder that `save_pretrained` wrote, to the directory of a checkpoint that OLMo's
    trainer loads: `model.pt`, `config.yaml` and `train.pt`. The weights may be in one file or in
    several, as `.safetensors` or as `.bin`. The classes are Olmo2ForCausalLM, OlmoForCausalLM and
    LlamaForCausalLM; what OLMo's trainer cannot do is refused, with the member that asks for it.

    Tensors are renamed, and those that OLMo has as one put below each other; no number changes unless
    `--dtype` asks for it. Before anything is written, every tensor is compared by name and shape with
    what `config.json` calls for.

    A folder that `ckptconv olmo-to-hf` made returns as it was: `model.pt` and, if it went along,
    `optim.pt` byte for byte. A directory without the trainer's own state gets an empty `train.pt`,
    without which the trainer loads nothing; the flags that it needs are printed.

    The trainer takes a directory for an unsharded checkpoint only if its name ends in `-unsharded`.
    """
  static let examples = [
    Example(
      line: "ckptconv hf-to-olmo OLMo-2-0425-1B -o olmo2-1b-unsharded --config OLMo2-1B.yaml",
      purpose: "Continue a pretraining from published weights:"),
    Example(
      line: "ckptconv hf-to-olmo olmo-hf -o step1000-unsharded --optimizer-names fsdp",
      purpose: "Return from Hugging Face, for a trainer under FSDP:"),
  ]
  static let operands = Operands.directory

  private var output: String?
  private var options = HuggingFaceToOLMo.Options()
  private var format: TrainerFormat?
  private var dtype: WeightDType?
  private var destination = ""

  static let flags: [BoundFlag<HFToOLMo>] =
    [.outputDirectory(\.output)] + DirectoryOptions.flags.map { $0.lifted(to: \.options.folder) }
    + [
      .choice(
        "as", "FORMAT", \.format, in: .content, "write pt, or safetensors for the trainer",
        manual: """
          The format of the weights and the optimizer's state. The default is `pt`; `safetensors` is
          the layout that OLMo's trainer reads.
          """),
      .choice(
        "dtype", "TYPE", \.dtype, in: .content, "cast weights to bf16, f16 or f32",
        manual: """
          Casts the weights, rounding to the nearest even as PyTorch does. Without it they keep their
          bits. OLMo's trainer computes with copies in float32 whatever the file has.
          """),
      .path(
        "config", "YAML", \.options.template, in: .content,
        "take the rest of config.yaml from this one",
        manual: """
          A configuration of OLMo's trainer for what `config.json` does not say: optimizer, data,
          schedule, and how weights are initialized. Without one OLMo's official values stand for the
          model, and there are no other sections.
          """),
      .optimizerNames(
        \.options.optimizerNames, otherwise: "how it did when it left OLMo, and by name otherwise"),
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
    TerminalSyscalls.stopGracefullyWhenInterrupted()
    let report = try HuggingFaceToOLMo(options).run(operands[0], to: destination) { done, total in
      console.progress?.update(done: done, total: total)
    }
    try FolderSummary(report: report, console: console).print(json: shared.json)
    return .done
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
  }

  func batchVerb() -> any BatchVerb {
    FolderVerb(name: Self.name, HuggingFaceToOLMo(options))
  }
}

/// The formats that OLMo's trainer loads.
enum TrainerFormat: String, FlagChoice {
  case pt, safetensors

  var meaning: String {
    switch self {
    case .pt: "model.pt and optim.pt, as torch.save writes them"
    case .safetensors: "model.safetensors and optim.safetensors in the layout olmo"
    }
  }
}
