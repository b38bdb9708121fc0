internal import Bytes
internal import Converter

/// `ckptconv inspect`.
struct Inspect: Command {
  static let name = "inspect"
  static let summary = "list the tensors and values of a checkpoint"
  static let manual = """
    Lists what each INPUT holds: its tensors with type, shape and size, the values beside them, and
    what kind of file it is. Tensor data is not read, so the size of the file does not matter. The
    index of a checkpoint in several files, such as `model.safetensors.index.json`, and a folder that
    has one, are listed as one checkpoint.
    """
  static let examples = [
    Example(line: "ckptconv inspect model.pt", purpose: "What is in this file?"),
    Example(
      line: "ckptconv inspect --sort size --limit 5 optim.pt", purpose: "What makes it so large?"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<Inspect>] = [
    .choice(
      "sort", "ORDER", \.sort, in: .listing, "order tensors by file, name or size",
      manual: "The order of the tensors. The default is `file`."),
    .number(
      "limit", "N", \.limit, atLeast: 1, in: .listing, "list the first N tensors and values only",
      manual: "How many tensors, and how many values, are listed. The default is all of them."),
    .toggle(
      "drop-unsafe", \.dropsUnsafe, in: .safety, "show None for what exists to run code",
      manual: """
        A pickle that names a global that exists to run code is refused. With this flag the rest of it
        is listed, and a warning names the global. Nothing is run in either case. See
        `ckptconv help safety`.
        """),
  ]

  private var sort: TensorOrder?
  private var limit: Int?
  private var dropsUnsafe = false

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(FormatError) -> ExitCode {
    var exitCode = ExitCode.done
    var isFirst = true
    for operand in operands {
      do throws(FormatError) {
        for path in try Inspection.files(of: operand) {
          // There is nothing to find out that would not be printed.
          guard !console.hasLostReader else { return exitCode }
          try show(path, isFirst: isFirst, shared, console)
          isFirst = false
        }
      } catch {
        console.report(error)
        if exitCode == .done { exitCode = ExitCode(error) }
      }
    }
    return exitCode
  }

  private func show(
    _ path: String, isFirst: Bool, _ shared: SharedOptions, _ console: Console
  ) throws(FormatError) {
    let inspection = try Inspection(of: path, droppingUnsafe: dropsUnsafe)
    for warning in inspection.warnings { console.warn("\(path): \(warning)") }
    if shared.json { return try console.printJSON(inspection.json) }
    let listing = InspectionListing(inspection, order: sort ?? .file, limit: limit)
    try console.print((isFirst ? "" : "\n") + listing.text(width: console.columns))
  }
}

/// The orders in which tensors can be listed.
enum TensorOrder: String, FlagChoice {
  case file, name, size

  var meaning: String {
    switch self {
    case .file: "as the file has them"
    case .name: "by name"
    case .size: "the largest first"
    }
  }
}
