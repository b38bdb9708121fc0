internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert
internal import CkptCopy
internal import CkptFormats

/// `ckptconv diff`.
struct DiffCommand: Command {
  static let name = "diff"
  static let summary = "show how two checkpoints differ, and by how much"
  static let manual = """
    Compares checkpoint A with checkpoint B by tensor names. It lists tensors that only one side
    has, that were renamed, or that have another type or shape. For each tensor it prints the number
    of different elements and the largest absolute and relative differences with their positions.
    Values that are not tensors follow. A and B can be files, indices of sharded checkpoints, or
    directories, in any format. The tensors with the largest differences come first.

    Elements are compared as double-precision numbers, even if their types differ. The relative
    difference is |a-b| / max(|a|,|b|). NaN equals NaN; a NaN on one side is counted, but has no
    size. An infinity differs from everything but itself by infinity. The change of a tensor is the
    norm of the difference divided by the larger norm of the two. Elements with different bits
    and equal values (the sign of zero, the payload of NaN) are counted separately.

    The numbered parameters of an optimizer have their names, and its step counters are one row.
    Configurations are compared field by field. The first paragraph sums up.

    A tensor is reported as renamed only if no other unpaired tensor has the same elements.
    `ckptconv verify` compares everything bit for bit, including nesting, order and sharing.

    The exit code is 0 if nothing differs and 1 if something does. With `--tolerance` or
    `--relative-tolerance`, a tensor within one of the limits does not count as different, whatever
    its type.
    """
  static let examples = [
    Example(
      line: "ckptconv diff step1000/model.pt step2000/model.pt",
      purpose: "See how training changed the weights:"),
    Example(
      line: "ckptconv diff --relative-tolerance 0.004 model-fp32.pt model-bf16.safetensors",
      purpose: "Check that two files differ only by rounding:"),
  ]
  static let operands = Operands(usage: "A B", minimum: 2, maximum: 2, arePaths: true)
  static let flags: [BoundFlag<DiffCommand>] = [
    .number(
      "limit", "N", \.limit, atLeast: 1, in: .listing, "list at most N rows of each kind",
      manual: "The maximum number of tensors, names and values to list. The default is all."),
    .decimal(
      "tolerance", "X", \.tolerance.absolute, in: .content, "ignore absolute differences up to X",
      manual: "A tensor with absolute differences of at most X does not count as different."),
    .decimal(
      "relative-tolerance", "X", \.tolerance.relative, in: .content,
      "ignore relative differences up to X",
      manual: "A tensor with relative differences of at most X does not count as different."),
    .fullNames(\.keepsNames),
    .dropUnsafe(\.reading.dropsUnsafe),
  ]

  private var limit: Int?
  private var tolerance = DiffReport.Tolerance()
  private var reading = ReadingOptions()
  private var keepsNames = false

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    let report = try DiffReport(
      of: operands[0], and: operands[1], tolerance: tolerance, reading, budget: shared.budget
    ) { console.progress?.update(done: $0, total: $1, of: operands[0]) }
    console.progress?.finish()
    for failure in report.failures { console.report(failure.error) }
    for file in report.files { for warning in file.warnings { console.warn(warning) } }
    if shared.json {
      try console.printJSON(report.json(\.words))
    } else if !shared.quiet {
      let text = DiffText(report, limit: limit ?? .max, keepsNames: keepsNames)
      try console.print(text.text(width: console.columns) + text.verdict(console))
    }
    return ExitCode(
      found: report.hasDifferences, failures: report.failures.map(\.error))
  }
}
