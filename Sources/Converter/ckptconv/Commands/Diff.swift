internal import Bytes
internal import Converter
internal import Formats

/// `ckptconv diff`.
struct Diff: Command {
  static let name = "diff"
  static let summary = "tell how two checkpoints differ, and by how much"
  static let manual = """
    Compares checkpoint A with checkpoint B by names: tensors that only one has or that have another
    name, element types, shapes, and for each tensor how many elements differ, the largest absolute
    and relative difference and where they are; then the values that are not tensors. Each may be a
    file, the index of a checkpoint in several files, or a directory, in any format. Tensors are listed
    by the size of their difference, the largest first.

    Elements are compared as double precision numbers, also those of different types. A relative
    difference is |a-b| / max(|a|,|b|). NaN is equal to NaN; a NaN on one side counts and has no size. An
    infinity differs by infinity from everything but itself. Elements that differ in bits and not in
    value (the sign of zero, the payload of a NaN) are counted apart.

    A tensor is called renamed only if its elements occur nowhere else among those whose names are on
    one side only. `ckptconv verify` compares everything bit for bit, also nesting, order and sharing.

    The exit status is 0 if nothing differs and 1 if something does. With `--tolerance` or
    `--relative-tolerance`, tensors whose elements are within one of them do not count, whatever their
    types.
    """
  static let examples = [
    Example(
      line: "ckptconv diff step1000/model.pt step2000/model.pt",
      purpose: "What has training changed?"),
    Example(
      line: "ckptconv diff --relative-tolerance 0.004 model-fp32.pt model-bf16.safetensors",
      purpose: "Is this the same model, but for rounding?"),
  ]
  static let operands = Operands(usage: "A B", minimum: 2, maximum: 2, arePaths: true)
  static let flags: [BoundFlag<Diff>] = [
    .number(
      "limit", "N", \.limit, atLeast: 1, in: .listing, "list the first N of each kind only",
      manual: "How many tensors, names and values are listed. The default is all of them."),
    .decimal(
      "tolerance", "X", \.tolerance, in: .content, "ignore absolute differences up to X",
      manual: "Tensors whose largest absolute difference is at most X do not count as different."),
    .decimal(
      "relative-tolerance", "X", \.relativeTolerance, in: .content,
      "ignore relative differences up to X",
      manual: "Tensors whose largest relative difference is at most X do not count as different."),
  ]

  private var limit: Int?
  private var tolerance: Double?
  private var relativeTolerance: Double?

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(FormatError) -> ExitCode {
    var bounds = DiffReport.Tolerance()
    (bounds.absolute, bounds.relative) = (tolerance, relativeTolerance)
    var report = DiffReport(first: operands[0], second: operands[1], tolerance: bounds)
    let parts = try Verification(
      of: operands[0], and: operands[1], budget: CopyBudget(threads: shared.threads))
    report.differences = parts.differences
    for pair in parts.pairs {
      do throws(FormatError) {
        if pair.isCarried {
          report.differences += try parts.compare(pair) { _, _ in }.differences
        } else {
          report.files.append(
            try CheckpointDiff(
              of: pair.first, and: pair.second, budget: CopyBudget(threads: shared.threads)
            ) {
              console.progress?.update(done: $0, total: $1)
            })
        }
        console.progress?.finish()
      } catch {
        // One bad file among several does not keep the others from being compared.
        console.report(error)
        report.failures.append((pair.first, error))
      }
    }
    for file in report.files { for warning in file.warnings { console.warn(warning) } }
    if shared.json {
      try console.printJSON(report.json)
    } else if !shared.quiet {
      try console.print(DiffText(report, limit: limit ?? .max).text(width: console.columns))
    }
    if let failure = report.failures.first { return ExitCode(failure.error) }
    return report.isEqual ? .done : .difference
  }
}
