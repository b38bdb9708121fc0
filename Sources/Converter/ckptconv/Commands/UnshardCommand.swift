internal import CkptBase
internal import CkptConvert
internal import CkptFormats

/// `ckptconv unshard`.
struct Unshard: Command {
  static let name = "unshard"
  static let summary = "merge a distributed checkpoint into whole files"
  static let manual = """
    Merges DIR, a checkpoint of `torch.distributed.checkpoint`, into whole files. DIR has a `.metadata`
    file and the files of the ranks. It can also be a step of OLMo or OLMo-core that has them in
    `model_and_optim`, or a checkpoint of accelerate with `pytorch_model_fsdp_0` and `optimizer_0`.

    If the output path ends in `.pt` or `.safetensors`, that file gets the whole state dict. Otherwise
    it is a new directory: `model` and `optim` or `optimizer` become files of their own, and other
    entries go to `other`. The configuration is copied. Of OLMo, `train/rank0.pt` becomes `train.pt`,
    so that its trainer continues from a directory whose name ends in `-unsharded`.

    Every element of every tensor must be stored exactly once, with the dtype and shape that the
    metadata has. PyTorch itself does not check this. Nothing is executed.
    """
  static let examples = [
    Example(
      line: "ckptconv unshard step1000 -o step1000-unsharded",
      purpose: "Write model.pt and optim.pt of a step:"),
    Example(
      line: "ckptconv unshard step1000 -o model.safetensors",
      purpose: "Write one file with everything:"),
  ]
  static let operands = Operands.directory

  /// The formats that can be written.
  enum Format: String, FlagChoice {
    case pt, safetensors

    var meaning: String {
      switch self {
      case .pt: "files of torch.save (default)"
      case .safetensors: "safetensors files"
      }
    }
  }

  private var destination = Destination.besideInput
  private var format: Format?
  private var options = ConversionOptions(to: .torch)

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try destination.check(operands, shared)
    try options.check(operands, destination)
    guard destination != .besideInput else {
      throw UsageError("no output given", hint: "name a file or a new directory with -o")
    }
    options.budget = shared.budget
    var isSafetensors = format == .safetensors
    if format == nil, case .path(let path) = destination {
      isSafetensors = FilePath(path).name.utf8.suffix(12).elementsEqual(".safetensors".utf8)
    }
    options.format = isSafetensors ? .safetensors : .torch
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    try ConversionRun(options: options, destination: destination, console: console).run(
      on: operands, json: shared.json)
  }
}

extension Unshard {
  static let flags: [BoundFlag<Unshard>] =
    [.conversionOutput(\.destination)]
    + ConversionOptions.outputFlags.map { $0.lifted(to: \.options) } + [
      .choice(
        "to", "FORMAT", \.format, in: .content, "write pt (default) or safetensors",
        manual: """
          The format of the files in a directory. A file gets the format of its extension.
          """),
      .choice(
        "layout", "LAYOUT", \.options.layout, in: .content, "name tensors for olmo, or plain",
        manual: """
          How tensors of safetensors files are named. The default is `olmo` for a step of OLMo, because
          its trainer reads nothing else, and `plain` for all others. See `ckptconv help layouts`.
          """),
      .dropUnsafe(\.options.reading.dropsUnsafe),
    ]
}
