internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats

/// `ckptconv safetensors-to-pt`.
struct SafetensorsToPt: Command {
  static let name = "safetensors-to-pt"
  static let summary = "convert safetensors files or directories to .pt"
  static let manual = """
    Converts each INPUT, a safetensors file or an OLMo checkpoint directory, to the format of
    torch.save. An output is written beside its input, with the extension `.pt`, unless `--output`
    is given.

    A file from `ckptconv pt-to-safetensors` has a skeleton and is restored. If torch.save wrote the
    original, the result is identical, byte for byte; only unused bytes of storages become zeros. If
    tensors were changed since, the changed tensors are used and a warning names them.

    Any other safetensors file becomes the file that a current PyTorch saves for the dict of
    `safetensors.torch.load_file`, or for the nested dict of OLMo's own loader.

    In a directory, the model and the optimizer state are converted, and the trainer state if
    `train.pt` is missing. The configuration and `train.pt` are copied unchanged. The shards of a
    Hugging Face directory, or of an index, become one `.pt` file.
    """
  static let examples = [
    Example(
      line: "ckptconv safetensors-to-pt model.safetensors",
      purpose: "Write model.pt beside model.safetensors:"),
    Example(
      line: "ckptconv safetensors-to-pt converted -o step1000-unsharded",
      purpose: "Restore an OLMo checkpoint:"),
    Example(
      line: "ckptconv safetensors-to-pt --container zip old.safetensors",
      purpose: "Turn a legacy file into a ZIP archive:"),
    Example(
      line: "ckptconv safetensors-to-pt --nest flat.safetensors",
      purpose: "Turn names with dots into nested dicts:"),
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

extension TorchContainer: FlagChoice {
  var meaning: String {
    switch self {
    case .zip: "the ZIP archive of PyTorch 1.6 and later"
    case .legacy: "the format of PyTorch before 1.6"
    }
  }
}

extension SafetensorsToPt {
  static let flags: [BoundFlag<SafetensorsToPt>] =
    [.conversionOutput(\.destination)]
    + ConversionOptions.outputFlags.map { $0.lifted(to: \.options) }
    + Selection.flags.map { $0.lifted(to: \.options.selection) } + [
      .choice(
        "container", "KIND", \.options.torchContainer, in: .content,
        "write a zip archive or a legacy file",
        manual: """
          Chooses the container of the `.pt` file. The default is the container of the original, or
          `zip` without a skeleton. An object from another container is written as a current
          torch.save writes it.
          """),
      .toggle(
        "nest", \.options.nestsNames, in: .content, "turn names with dots into nested dicts",
        manual: """
          Turns the name `a.b` into a dict `a` with the key `b`, in files without a skeleton and
          with the layout `plain`. Without this flag the names are the keys of one flat dict.
          """),
      .optimizerNames(\.options.optimizerNames, otherwise: "that of INPUT"),
      .toggle(
        "ignore-skeleton", \.options.reading.ignoresSkeleton, in: .content,
        "read only the tensors",
        manual: """
          Reads the file like other programs: a dict of tensors, without the other contents of the
          original object. See `ckptconv help skeleton`.
          """),
      .toggle(
        "no-metadata", \.options.keepsMetadata, to: false, in: .content,
        "do not keep the metadata of other programs",
        manual: """
          Without this flag, the `__metadata__` of a safetensors file without a skeleton is kept in
          a record of its own. torch.load ignores the record, and `ckptconv pt-to-safetensors`
          restores the metadata. With this flag it is not kept, and the file is byte for byte the
          one that torch.save writes.
          """),
      .toggle(
        "drop-unsafe", \.options.reading.dropsUnsafe, in: .safety,
        "replace objects that can run code by None",
        manual: """
          Without this flag, a skeleton or an embedded pickle with an object that can run code is
          refused. With it, None replaces the object, and a warning names it. Nothing is run in
          either case. See `ckptconv help safety`.
          """),
    ]
}
