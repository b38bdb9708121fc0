internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptSkeleton

/// `ckptconv pt-to-safetensors`.
struct PtToSafetensors: Command {
  static let name = "pt-to-safetensors"
  static let summary = "convert .pt files or directories to safetensors"
  static let manual = """
    Converts each INPUT, a file of torch.save or an OLMo checkpoint directory, to safetensors. The
    file type is detected from the content, not from the name. An output is written beside its
    input, with the extension `.safetensors`, unless `--output` is given.

    In a directory, the model and the optimizer state are converted. The configuration and
    `train.pt` are copied unchanged. In a Hugging Face directory, `pytorch_model.bin` is converted.
    Shards with an index become safetensors shards with an index, or one file if PATH ends in
    `.safetensors`.

    Tensors keep their bits: nothing is cast. Memory depends on the number of tensors and values,
    not on their size: 64 MiB are enough for usual models of any size. An output appears under its
    name only when it is complete.
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
      purpose: "Send the result to another machine without a local file:"),
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
    console.warn(ofShardSize: options.maximumShardByteCount)
    return try ConversionRun(options: options, destination: destination, console: console).run(
      on: operands, json: shared.json)
  }
}

extension PtToSafetensors {
  static let flags: [BoundFlag<PtToSafetensors>] =
    [.conversionOutput(\.destination)]
    + ConversionOptions.outputFlags.map { $0.lifted(to: \.options) }
    + Selection.flags.map { $0.lifted(to: \.options.selection) } + [
      .toggle(
        "train", \.options.convertsTrainerState, in: .content, "convert train.pt too",
        manual: """
          Converts the `train.pt` of a directory too, instead of copying it. OLMo's trainer reads
          both forms.
          """),
      .choice(
        "layout", "LAYOUT", \.options.layout, in: .content, "the naming of tensors: olmo or plain",
        manual: """
          The naming of tensors. The default is `olmo` for an OLMo checkpoint directory, and for a
          file that is written into one, because OLMo's trainer reads only that. It is `plain` for
          all others. See `ckptconv help layouts`.
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
        "store tied tensors once (alias) or copy them",
        manual: """
          The treatment of tensors that share their bytes. The default is `alias` for the layout
          `plain`, and `copy` for `olmo`, whose trainer needs every name.
          """),
      .optimizerNames(\.options.optimizerNames, otherwise: "that of INPUT"),
      .toggle(
        "no-skeleton", \.options.safetensors.includesSkeleton, to: false, in: .content,
        "write only tensors",
        manual: """
          Does not write the skeleton, the metadata for everything that is not tensor bytes. The
          file is then byte for byte the one that `safetensors.torch.save_file` or OLMo's converter
          writes. If contents would be lost, `--allow-loss` is needed. See `ckptconv help skeleton`.
          """),
      .toggle(
        "allow-loss", \.options.safetensors.allowsLoss, in: .safety,
        "only warn about contents that are lost",
        manual: """
          Without this flag, contents that the output cannot hold are an error. With it they are not
          written, and a warning names them.
          """),
      .dropUnsafe(\.options.reading.dropsUnsafe),
    ]
}

extension Layout: FlagChoice {
  var meaning: String {
    switch self {
    case .olmo: "the names that OLMo's trainer loads"
    case .plain: "the path of each value, joined with dots"
    }
  }
}

extension SafetensorsOptions.TiedTensors: FlagChoice {
  var meaning: String {
    switch self {
    case .alias: "store the bytes once; the metadata has the other names"
    case .copy: "store the bytes under every name"
    }
  }
}
