internal import CkptBase
internal import CkptBatch
internal import CkptConvert
internal import CkptFormats
internal import CkptHuggingFace
internal import CkptModels

/// `ckptconv olmo-to-hf`.
struct OLMoToHF: Command {
  static let name = "olmo-to-hf"
  static let summary = "convert an OLMo checkpoint to a Hugging Face folder"
  static let manual = """
    Converts DIR, the directory of one step that OLMo's trainer saved, to a folder that
    `transformers` loads: `config.json`, `generation_config.json`, and the weights as
    `model.safetensors`, in several files with an index where they are large. The class is that which
    computes what OLMo computes: Olmo2ForCausalLM, OlmoForCausalLM or LlamaForCausalLM. A model that
    no class can represent is refused, with the field that says so.

    Tensors are renamed, and fused ones split by their rows; no number changes unless `--dtype` asks
    for it. Before anything is written, every tensor is compared by name and shape with what
    `config.yaml` calls for.

    What only OLMo knows travels in `config.json` under `ckptconv` and in the directory `olmo`, which
    other programs ignore; `ckptconv hf-to-olmo` returns the same files with it.
    """
  static let examples = [
    Example(
      line: "ckptconv olmo-to-hf step1000-unsharded -o olmo-hf --tokenizer tokenizer.json",
      purpose: "Make a folder that transformers loads:"),
    Example(
      line: "ckptconv olmo-to-hf step1000-unsharded -o olmo-hf --dtype bf16 --max-shard-size 2GB",
      purpose: "Publish the weights as bfloat16, in files of up to 2 GB:"),
    Example(
      line: "ckptconv olmo-to-hf step1000-unsharded -o olmo-hf --optimizer",
      purpose: "Take the optimizer's and the trainer's state along:"),
  ]
  static let operands = Operands.directory

  private var output: String?
  private var options = OLMoToHuggingFace.Options()
  private var dtype: WeightDType?
  private var destination = ""

  static let flags: [BoundFlag<OLMoToHF>] =
    [.outputDirectory(\.output)] + DirectoryOptions.flags.map { $0.lifted(to: \.options.folder) }
    + [
      .byteCount(
        "max-shard-size", "SIZE", \.options.maximumShardByteCount, in: .content,
        "weights per file at most; default 5GB",
        manual: """
          How many bytes of tensors one file holds, such as `5GB` or `500MB`; the default is `5GB`, as
          that of `save_pretrained`. A tensor that is larger has a file of its own.
          """),
      .choice(
        "dtype", "TYPE", \.dtype, in: .content, "cast weights to bf16, f16 or f32",
        manual: """
          Casts the weights, rounding to the nearest even as PyTorch does. Without it they keep their
          bits. The optimizer's state is never cast.
          """),
      .toggle(
        "optimizer", \.options.carriesOptimizer, in: .content,
        "take the optimizer's state along",
        manual: """
          Writes the optimizer's state as `optimizer.safetensors`, under the names of Hugging Face's
          model and split like its weights, and takes `train.pt` along in `olmo`.
          """),
      .tokenizer(\.options.tokenizer),
      .keepEndOfText(\.options.translation.keepsEndOfText),
      .toggle(
        "no-carry", \.options.translation.carriesRest, to: false, in: .content,
        "leave out what only OLMo knows",
        manual: """
          Leaves out what travels for the way back: the key `ckptconv` of `config.json` and the
          skeletons in `olmo`.
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
    TerminalSyscalls.stopGracefullyWhenInterrupted()
    let report = try OLMoToHuggingFace(options).run(operands[0], to: destination) { done, total in
      console.progress?.update(done: done, total: total)
    }
    try FolderSummary(report: report, console: console).print(json: shared.json)
    return .done
  }
}

extension OLMoToHF: BatchableCommand {
  mutating func checkForBatch(
    _ operands: [String], _ shared: SharedOptions
  ) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    options.folder.budget = shared.budget
    options.dtype = dtype.map(DType.init)
  }

  func batchVerb() -> any BatchVerb {
    FolderVerb(name: Self.name, OLMoToHuggingFace(options))
  }
}

extension DType {
  /// The type that a flag names.
  init(_ choice: WeightDType) {
    self =
      switch choice {
      case .bf16: .bfloat16
      case .f16: .float16
      case .f32: .float32
      }
  }
}
