internal import CkptBase
internal import CkptBatch
internal import CkptConvert
internal import CkptFormats
internal import CkptHuggingFace
internal import CkptModels

/// `ckptconv olmo-to-hf`.
struct OLMoToHF: Command {
  static let name = "olmo-to-hf"
  static let summary = "convert an OLMo checkpoint to a Hugging Face model"
  static let manual = """
    Converts DIR, one step that OLMo's trainer or OLMo-core saved, to a model directory that
    `transformers` loads: `config.json`, `generation_config.json` and `model.safetensors`, or shards
    with an index if the weights are large. The class is the one that computes the same as OLMo:
    Olmo3ForCausalLM, Olmo2ForCausalLM, OlmoForCausalLM or LlamaForCausalLM. A model that no class
    can represent is refused, with the field that is the reason.

    A step of OLMo-core is a distributed checkpoint with its `config.json`, or the files that its
    `unshard_checkpoint` wrote beside one. The embedding and the output lose the rows that pad the
    vocabulary, as in OLMo-core's own converter.

    Tensors are renamed, and fused tensors are split. Values do not change, unless `--dtype` is
    given. Before anything is written, the name and shape of every tensor are compared with
    `config.yaml`.

    OLMo's own settings are kept in `config.json` under the key `ckptconv` and in the directory
    `olmo`; other programs ignore both. `ckptconv hf-to-olmo` restores the original files from them.
    """
  static let examples = [
    Example(
      line: "ckptconv olmo-to-hf step1000-unsharded -o olmo-hf --tokenizer tokenizer.json",
      purpose: "Write a model that transformers loads:"),
    Example(
      line: "ckptconv olmo-to-hf step1000-unsharded -o olmo-hf --dtype bf16 --max-shard-size 2GB",
      purpose: "Write bfloat16 weights in shards of at most 2 GB:"),
    Example(
      line: "ckptconv olmo-to-hf step1000-unsharded -o olmo-hf --optimizer",
      purpose: "Include the optimizer and trainer state:"),
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
        "maximum size of a shard; default 5GB",
        manual: """
          The maximum number of bytes of tensors in one file, such as `5GB` or `500MB`. The default
          is `5GB`, like `save_pretrained`. A larger tensor gets a file of its own.
          """),
      .choice(
        "dtype", "TYPE", \.dtype, in: .content, "cast weights to bf16, f16 or f32",
        manual: """
          Casts the weights, rounding to nearest even like PyTorch. Without this flag they keep
          their bits. The optimizer state is never cast.
          """),
      .toggle(
        "optimizer", \.options.carriesOptimizer, in: .content,
        "include the optimizer state",
        manual: """
          Writes the optimizer state as `optimizer.safetensors`, with the names and the split of the
          Hugging Face weights, and copies `train.pt` into the directory `olmo`.
          """),
      .tokenizer(\.options.tokenizer),
      .keepEndOfText(\.options.translation.keepsEndOfText),
      .toggle(
        "keep-vocab", \.options.translation.keepsVocabulary, in: .content,
        "keep the padding of OLMo-core's vocabulary",
        manual: """
          Keeps all rows of the embedding and the output of an OLMo-core model. Without this flag
          they have one row for each token of the tokenizer (`dataset.tokenizer.vocab_size`).
          """),
      .toggle(
        "no-carry", \.options.translation.carriesRest, to: false, in: .content,
        "do not keep OLMo's own settings",
        manual: """
          Does not write the data for the way back: the key `ckptconv` in `config.json` and the
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
    console.warn(ofShardSize: options.maximumShardByteCount)
    return try OLMoToHuggingFace(options).run(operands[0], to: destination, shared, console)
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
  /// Creates the dtype for a choice of `--dtype`.
  init(_ choice: WeightDType) {
    self =
      switch choice {
      case .bf16: .bfloat16
      case .f16: .float16
      case .f32: .float32
      }
  }
}
