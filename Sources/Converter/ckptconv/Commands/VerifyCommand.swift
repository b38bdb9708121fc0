internal import CkptBase
internal import CkptBatch
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert
internal import CkptCopy
internal import CkptFormats
internal import CkptHuggingFace

/// `ckptconv verify`.
struct VerifyCommand: Command {
  static let name = "verify"
  static let summary = "check that two checkpoints are equal, bit for bit"
  static let manual = """
    Compares checkpoint A with checkpoint B: the names, order, types and values of all contents, the
    types, shapes and bytes of tensors, and which of them share memory. A and B can be files,
    indices of sharded checkpoints, or directories, in any format and layout. A safetensors file
    without a skeleton has only names, tensors and values; the output says what could not be
    compared.

    If one directory is an OLMo checkpoint and the other a Hugging Face model, tensors and optimizer
    state are compared under the names that `ckptconv olmo-to-hf` gives them, and the settings that
    decide what the model computes. Weights of two dtypes are rounded to the shorter one first, and
    the output says so.

    In two other directories, the model, the optimizer state and the trainer state are compared in any
    format, and all other files that both have byte by byte.

    Numbers are equal if their bits are: `0.0` is not `-0.0`, and NaNs have payloads. The exit code
    is 0 if everything is equal and 1 if something differs. The first differences are listed, the
    others are counted.

    With `--manifest` FILE one checkpoint is enough: the SHA-256 of each tensor and value is written
    to FILE. With `--against` FILE a checkpoint in any format is compared with such a manifest.
    """
  static let examples = [
    Example(
      line: "ckptconv verify model.pt model.safetensors", purpose: "Compare two files:"),
    Example(
      line: "ckptconv verify step1000-unsharded converted",
      purpose: "Compare two checkpoint directories:"),
    Example(
      line: "ckptconv verify --manifest step1000.json step1000-unsharded",
      purpose: "Record the contents of a checkpoint:"),
    Example(
      line: "ckptconv verify --against step1000.json converted",
      purpose: "Compare with the record later, in another format:"),
  ]
  static let operands = Operands(usage: "A [B]", minimum: 1, maximum: 2, arePaths: true)
  static let flags: [BoundFlag<VerifyCommand>] = [
    .path(
      "manifest", "FILE", \.manifest, in: .output, "write SHA-256 checksums of A to FILE",
      manual: """
        Writes a manifest of A: a JSON file with the name, type, shape and SHA-256 of each tensor
        and value. Other programs can read it too. A checkpoint and its converted form have the same
        manifest.
        """),
    .toggle(
      "force", \.writing.replacesExisting, in: .output, "replace an existing manifest",
      manual: "Without this flag an existing file is never replaced."),
    .path(
      "against", "FILE", \.against, in: .content, "compare A with a manifest",
      manual: """
        Compares A with the manifest FILE instead of B. In a directory, all files of the manifest
        must be present.
        """),
    .fullNames(\.keepsNames),
    .dropUnsafe(\.reading.dropsUnsafe),
  ]

  private var manifest: String?
  private var writing = WritingOptions()
  private var against: String?
  private var reading = ReadingOptions()
  private var keepsNames = false

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    if manifest != nil, against != nil {
      throw .conflict("--manifest", "--against", because: "one writes a manifest, one reads it")
    }
    if writing.replacesExisting, manifest == nil {
      throw UsageError("--force needs --manifest", hint: "verify writes nothing else")
    }
    switch (manifest ?? against, operands.count) {
    case (nil, 1):
      throw UsageError(
        "verify needs two checkpoints, found one",
        hint: "add a second checkpoint, or pass a manifest with --against")
    case (.some, 2):
      throw UsageError(
        "\(manifest != nil ? "--manifest" : "--against") takes one checkpoint, found two",
        hint: "leave out B")
    default: return
    }
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    if let manifest { return try write(manifest, of: operands[0], shared, console) }
    let progress: @Sendable (Int, Int) -> Void = {
      console.progress?.update(done: $0, total: $1, of: operands[0])
    }
    let report =
      if let against {
        try VerifyReport(
          of: operands[0], against: against, reading, budget: shared.budget, progress: progress)
      } else if let translated = try TranslatedComparison(
        of: operands[0], and: operands[1], reading, budget: shared.budget)
      {
        try translated.run(progress: progress)
      } else {
        try VerifyReport(
          of: operands[0], and: operands[1], reading, budget: shared.budget, progress: progress)
      }
    console.progress?.finish()
    for failure in report.failures { console.report(failure.error) }
    return try VerifyText(report, keepsNames: keepsNames).print(shared, console)
  }

  private func write(
    _ manifest: String, of path: String, _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    TerminalSyscalls.stopGracefullyWhenInterrupted()
    var maker = ManifestMaker(
      budget: shared.budget, writing: writing)
    maker.reading = reading
    let report = try maker.write(of: path, to: manifest) { done, total in
      console.progress?.update(done: done, total: total)
    }
    console.progress?.finish()
    for warning in report.warnings { console.warn(warning) }
    if shared.json { try console.printJSON(report.json) }
    console.note("\(path) -> \(manifest): \(report.entryCount) tensors and values")
    return .done
  }
}

extension VerifyCommand: BatchableCommand {
  static var flagsOfOneInput: Set<String> { ["manifest", "against"] }

  static var batchManual: String {
    """
    In a batch each INPUT is A. B is its counterpart below ROOT, where a conversion of the whole
    tree writes it: the directory with the same path, or the file with the same name and any
    checkpoint extension.
    """
  }

  func checkForBatch(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func batchVerb() -> any BatchVerb { VerifyVerb(name: Self.name, reading) }
}

/// The output of `ckptconv verify`.
struct VerifyText {
  private let report: VerifyReport
  private let keepsNames: Bool

  init(_ report: VerifyReport, keepsNames: Bool) {
    self.report = report
    self.keepsNames = keepsNames
  }

  /// Prints the result and returns the exit code.
  ///
  /// - Throws: `inputOutput` if the standard output fails.
  func print(_ shared: SharedOptions, _ console: Console) throws(CheckpointError) -> ExitCode {
    for finding in report.findings { for warning in finding.warnings { console.warn(warning) } }
    if shared.json {
      try console.printJSON(report.json(\.words))
    } else if !shared.quiet {
      for finding in report.findings { try console.print(text(finding, width: console.columns)) }
      try console.print(rest(width: console.columns) + verdict(console))
    }
    return ExitCode(
      found: report.hasDifferences, failures: report.failures.map(\.error))
  }

  private func text(_ finding: VerifyFinding, width: Int?) -> String {
    let files = "\(finding.first) and \(finding.second)".harmless
    guard !finding.isSame else {
      let rounding = finding.roundedType.map { " after rounding to \($0)" } ?? ""
      return "\(files) are equal\(rounding): \(extent(finding))\n"
    }
    let count = finding.differenceCount
    let more = count - finding.differences.count
    return "\(files) differ: \(count.pluralized("difference"))\n"
      + text(finding.differences, width: width)
      + (more > 0 ? "and \(more) more\n" : "")
  }

  /// The number and size of the compared items.
  private func extent(_ finding: VerifyFinding) -> String {
    let size = ByteCount(bytes: finding.byteCount).description
    guard finding.scope != .bytes else { return "\(size), byte by byte" }
    let text =
      "\(finding.tensorCount.pluralized("tensor")) (\(size)), "
      + finding.valueCount.pluralized("value")
    return finding.scope == .names ? text + ", by name" : text
  }

  private func rest(width: Int?) -> String {
    var result = ""
    if !report.differences.isEmpty {
      result =
        "\(report.first) and \(report.second) differ in their files".harmless + "\n"
        + text(report.differences, width: width)
    }
    var lines: [String] = []
    for line in report.findings.flatMap(\.notCompared) + report.notCompared
    where !lines.contains(line) {
      lines.append(line)
    }
    return result + lines.map { "not compared: \($0.harmless)\n" }.joined()
  }

  private func text(_ differences: [Difference], width: Int?) -> String {
    Self.table(differences).text(width: width, fullNames: keepsNames)
  }

  /// The result in one line.
  private func verdict(_ console: Console) -> String {
    let count = report.findings.reduce(report.differences.count) { $0 + $1.differenceCount }
    if count > 0 {
      return console.paint("different", .error) + ": \(count.pluralized("difference"))\n"
    }
    guard report.failures.isEmpty else {
      return console.paint("not compared", .error)
        + ": \(report.failures.count.pluralized("file"))\n"
    }
    let rounded = report.findings.compactMap(\.roundedType).first
    return console.paint(rounded.map { "equal after rounding to \($0)" } ?? "identical", .success)
      + "\n"
  }

  /// Returns differences as a table.
  static func table(_ differences: [Difference]) -> Table {
    let hasCounterparts = differences.contains { $0.counterpart != nil }
    let rows = differences.map { difference in
      [difference.place] + (hasCounterparts ? [difference.counterpart ?? ""] : [])
        + [difference.kind.rawValue, difference.first ?? "-", difference.second ?? "-"]
    }
    let counterpart: [Table.Column] = hasCounterparts ? [.detail("in OLMo")] : []
    return Table(
      [.name("place")] + counterpart + [.text("differs in"), .detail("A"), .detail("B")],
      rows: rows)
  }
}
