internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptSkeleton

/// `ckptconv pt-to-safetensors`.
struct PtToSafetensors: Command {
  static let name = "pt-to-safetensors"
  static let summary = "convert .pt files or a checkpoint directory to safetensors"
  static let manual = """
    Converts each INPUT, a file that torch.save wrote or an OLMo checkpoint directory, to the
    safetensors format. What kind of file it is, its content decides and not its name. Outputs are
    named like their inputs with the extension `.safetensors` and stand beside them, unless
    `--output` says otherwise.

    Of a directory, the model and the optimizer state are converted. The configuration and `train.pt`
    are carried along unchanged. Of a Hugging Face folder, `pytorch_model.bin` is converted; shards
    with an index become safetensors shards with an index, or one file where PATH ends in
    `.safetensors`.

    Tensors keep their bits: nothing is cast. Their bytes pass through small buffers, so memory
    depends on how many tensors and values there are, and not on their size: 64 MiB do for the usual
    model of any size. An output appears under its name only when it is complete.
    """
  static let examples = [
    Example(
      line: "ckptconv pt-to-safetensors model.pt",
      purpose: "Write model.safetensors beside model.pt:"),
    Example(
      line: "ckptconv pt-to-safetensors step1000-unsharded -o converted",
      purpose: "Convert an OLMo checkpoint into another directory:"),
    Example(
      line: "ckptconv pt-to-safetensors m.pt -o - | ssh host 'cat >m.safetensors'",
      purpose: "Send the result to another machine without a file in between:"),
  ]
  static let operands = Operands.inputs

  private var destination = Destination.besideInput
  private(set) var options = ConversionOptions(to: .safetensors)

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try destination.check(operands, shared)
    try options.check(operands, destination)
    options.budget = shared.budget
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    try ConversionRun(options: options, destination: destination, console: console).run(
      on: operands, json: shared.json)
  }
}

extension PtToSafetensors {
  static let flags: [BoundFlag<PtToSafetensors>] =
    [.conversionOutput(\.destination)]
    + ConversionOptions.outputFlags.map { $0.lifted(to: \.options) } + [
      .toggle(
        "train", \.options.convertsTrainerState, in: .content, "convert train.pt too",
        manual: """
          Converts the `train.pt` of a directory as well, instead of carrying it along. The OLMo
          trainer reads either.
          """),
      .choice(
        "layout", "LAYOUT", \.options.layout, in: .content, "name tensors for olmo, or plain",
        manual: """
          How tensors are named. The default is `olmo` for inputs that lie in an OLMo checkpoint
          directory, because its trainer reads nothing else, and `plain` for all others. See
          `ckptconv help layouts`.
          """),
      .byteCount(
        "max-shard-size", "SIZE", \.options.maximumShardByteCount, in: .content,
        "split the output into files of at most SIZE",
        manual: """
          Writes several safetensors files with an index, each with at most SIZE bytes of tensors, such
          as `5GB` or `500MB`. A larger tensor has a file of its own. The files are in the layout
          `plain` and have no skeleton. INPUT may be a safetensors file or an index of such files.
          """),
      .choice(
        "tied", "HOW", \.options.safetensors.tied, in: .content,
        "store tied tensors as an alias, or copy them",
        manual: """
          What becomes of tensors that share their bytes. The default is `alias` for the layout `plain`
          and `copy` for `olmo`, whose trainer asks for every name.
          """),
      .optimizerNames(\.options.optimizerNames, otherwise: "as it does in INPUT"),
      .toggle(
        "no-skeleton", \.options.safetensors.includesSkeleton, to: false, in: .content,
        "leave out what is not a tensor",
        manual: """
          Leaves out the skeleton: the metadata that holds whatever is not a tensor's bytes. The file
          is then byte for byte what `safetensors.torch.save_file` or OLMo's converter writes.
          What the layout has no place for is lost, which needs `--allow-loss`. See
          `ckptconv help skeleton`.
          """),
      .toggle(
        "allow-loss", \.options.safetensors.allowsLoss, in: .safety,
        "warn of what cannot be carried, go on",
        manual: """
          What the output cannot hold is an error that names it. With this flag it is left out, and a
          warning names it.
          """),
      .dropUnsafe(\.options.reading.dropsUnsafe),
    ]
}

extension Layout: FlagChoice {
  var meaning: String {
    switch self {
    case .olmo: "what the OLMo trainer loads"
    case .plain: "names are paths joined with dots"
    }
  }
}

extension SafetensorsOptions.TiedTensors: FlagChoice {
  var meaning: String {
    switch self {
    case .alias: "store the bytes once; the metadata names the others"
    case .copy: "store the bytes under every name"
    }
  }
}
