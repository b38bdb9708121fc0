internal import CkptBase
internal import CkptBatch
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptCopy
internal import CkptFormats

/// `ckptconv check`.
struct CheckCommand: Command {
  static let name = "check"
  static let summary = "find missing, damaged or mismatched files"
  static let manual = """
    Checks each INPUT: a file, or the directory of an OLMo checkpoint or a Hugging Face model. All
    files must be present and complete, and contain what their names say. Checksums must match. The
    tensors must have the names and shapes of the configuration. The optimizer must have a state for
    each parameter. All parts must be from the same step.

    Each finding is one line with its severity, its place, what was found and what to do. A
    `problem` is broken, missing or in the wrong place. A `warning` works, but probably not as
    intended. A `note` is useful to know. The exit code is 1 if a problem was found.
    """
  static let examples = [
    Example(line: "ckptconv check step1000-unsharded", purpose: "Check a checkpoint:"),
    Example(
      line: "ckptconv check --finite --for olmo step1000-unsharded",
      purpose: "Check that training can resume from it:"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<CheckCommand>] = [
    .toggle(
      "finite", \.options.searchesValues, in: .content, "search all tensors for NaN and infinity",
      manual: """
        Reads all tensors and reports NaN and infinite values as problems. This takes about as long
        as reading the files.
        """),
    .choice(
      "for", "PROGRAM", \.options.consumer, in: .content,
      "tell whether olmo, hf or torch can load the INPUT",
      manual: "Tells whether a program can load the INPUT, and the reason if it cannot."),
    .dropUnsafe(\.options.reading.dropsUnsafe),
  ]

  private var options = CheckOptions()

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    options.budget = shared.budget
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    var exitCode = ExitCode.done
    for operand in operands {
      do throws(CheckpointError) {
        let examination = try CheckpointCheck(of: operand, options) { done, total in
          console.progress?.update(done: done, total: total, of: operand)
        }
        console.progress?.finish()
        if shared.json {
          try console.printJSON(examination.json(\.words))
        } else if !shared.quiet {
          try console.print(text(examination, console))
        }
        exitCode.merge(examination.isSound ? .done : .difference)
      } catch {
        console.report(error)
        exitCode.merge(ExitCode(error))
      }
    }
    return exitCode
  }

  private func text(_ examination: CheckpointCheck, _ console: Console) -> String {
    var lines = examination.findings.map { finding in
      console.paint("\(finding.severity.rawValue):", finding.severity.role)
        + " \(finding.path): \(finding.notice.sentence(\.words))".harmless
    }
    lines.append("\(examination.path): ".harmless + verdict(examination, console))
    return lines.map { "\($0)\n" }.joined()
  }

  private func verdict(_ examination: CheckpointCheck, _ console: Console) -> String {
    let problems = examination.findings.count { $0.severity == .problem }
    var verdict =
      problems == 0
      ? console.paint("OK", .success) : console.paint(problems.pluralized("problem"), .error)
    if let consumer = examination.consumer, let loads = examination.loads {
      verdict += "; \(consumer.program) can\(loads ? "" : "not") load it"
    }
    let examined = examination.examined.joined(separator: ", ").harmless
    if !examined.isEmpty { verdict += "; checked: \(examined)" }
    if problems == 0, !options.searchesValues { verdict += " (values not checked; use --finite)" }
    return verdict
  }
}

extension CheckCommand: BatchableCommand {
  func batchVerb() -> any BatchVerb { CheckVerb(name: Self.name, options) }
}

extension LoadTarget: FlagChoice {
  var meaning: String {
    switch self {
    case .olmo: "the trainer of OLMo, to resume from the directory"
    case .huggingFace: "from_pretrained of transformers"
    case .torch: "torch.load with weights_only=True, its default since PyTorch 2.6"
    }
  }
}

extension LoadTarget {
  /// The name of the program in messages.
  fileprivate var program: String {
    switch self {
    case .olmo: "OLMo's trainer"
    case .huggingFace: "transformers"
    case .torch: "torch.load with weights_only=True"
    }
  }
}

extension Finding.Severity {
  /// The color of the severity.
  var role: Style.Role {
    switch self {
    case .problem: .error
    case .warning: .warning
    case .note: .hint
    }
  }
}
