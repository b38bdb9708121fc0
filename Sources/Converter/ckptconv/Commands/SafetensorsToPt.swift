internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats

/// `ckptconv safetensors-to-pt`.
struct SafetensorsToPt: Command {
  static let name = "safetensors-to-pt"
  static let summary = "convert safetensors files or a checkpoint directory to .pt"
  static let manual = """
    Converts each INPUT, a safetensors file or a directory with an OLMo checkpoint, to what torch.save
    writes. Outputs are named like their inputs with the extension `.pt` and stand beside them,
    unless `--output` says otherwise.

    A file that `ckptconv pt-to-safetensors` wrote has a skeleton and becomes the file that it was
    made from, byte for byte where torch.save wrote that one. If its tensors were changed since, the
    tensors win and a warning names each change. Bytes of a storage that belonged to no tensor are
    zero.

    Any other safetensors file becomes what torch.save of a current PyTorch writes for the dict that
    `safetensors.torch.load_file` returns, or for the nested one that OLMo's own loader returns.

    Of a directory, the model and the optimizer state are converted, and the trainer state if there
    is no `train.pt`. The configuration and `train.pt` are carried along unchanged. The shards of a
    Hugging Face folder, or of an index, become one `.pt` file.
    """
  static let examples = [
    Example(
      line: "ckptconv safetensors-to-pt model.safetensors",
      purpose: "Write model.pt beside model.safetensors:"),
    Example(
      line: "ckptconv safetensors-to-pt converted -o step1000-unsharded",
      purpose: "Bring an OLMo checkpoint back:"),
    Example(
      line: "ckptconv safetensors-to-pt --nest flat.safetensors",
      purpose: "Make nested dicts of names with dots:"),
  ]
  static let operands = Operands.inputs

  private var destination = Destination.besideInput
  private(set) var options = ConversionOptions(to: .torch)

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

extension SafetensorsToPt {
  static let flags: [BoundFlag<SafetensorsToPt>] =
    [.conversionOutput(\.destination)]
    + ConversionOptions.outputFlags.map { $0.lifted(to: \.options) } + [
      .toggle(
        "nest", \.options.nestsNames, in: .content, "make nested dicts of names with dots",
        manual: """
          Makes a dict `a` with the key `b` of the name `a.b`, in files without a skeleton and in the
          layout `plain`. Without it the names are the keys of one flat dict.
          """),
      .optimizerNames(\.options.optimizerNames, otherwise: "as it does in INPUT"),
      .toggle(
        "ignore-skeleton", \.options.reading.ignoresSkeleton, in: .content,
        "take the tensors as if there were no skeleton",
        manual: """
          Takes a file as any other program would: a dict of tensors, without the rest of the object
          that it was made from. See `ckptconv help skeleton`.
          """),
      .toggle(
        "no-metadata", \.options.keepsMetadata, to: false, in: .content,
        "leave out the metadata of a file without skeleton",
        manual: """
          The `__metadata__` of a safetensors file without a skeleton goes along in a record of its own,
          which torch.load does not look at, and comes back with `ckptconv pt-to-safetensors`. With
          this flag it is left out, and the file is byte for byte what torch.save writes.
          """),
      .toggle(
        "drop-unsafe", \.options.reading.dropsUnsafe, in: .safety,
        "replace what can run code by None",
        manual: """
          A skeleton, or a pickle inside the file, with something that can run code is refused.
          With this flag its value becomes None, and a warning names it. Nothing is run in either
          case. See `ckptconv help safety`.
          """),
    ]
}
