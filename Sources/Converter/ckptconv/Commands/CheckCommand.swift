internal import CkptBase
internal import CkptBatch
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptCopy

/// `ckptconv check`.
struct CheckCommand: Command {
  static let name = "check"
  static let summary = "look for what is missing, damaged or does not fit together"
  static let manual = """
    Examines each INPUT, a directory with an OLMo checkpoint or a Hugging Face model, or a file: whether
    all files are there, whole and what their names say; whether the checksums hold; whether the
    tensors have the names and shapes that the configuration calls for, and the optimizer a state
    for each of them; whether all parts are of one step.

    Each finding is one line: how grave it is, where, what was found, what to do. A `problem` is something
    broken, missing or out of place; a `warning` works, but hardly as it was meant; a `note` is worth
    knowing. The exit code is 1 if there is a problem.
    """
  static let examples = [
    Example(line: "ckptconv check step1000-unsharded", purpose: "Is this checkpoint sound?"),
    Example(
      line: "ckptconv check --finite --for olmo step1000-unsharded",
      purpose: "May a training run go on from it?"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<CheckCommand>] = [
    .toggle(
      "finite", \.options.searchesValues, in: .content, "search all numbers for NaN and infinity",
      manual: """
        Reads every number of every tensor, weights and moments, in search of NaN and infinite ones, which
        are a problem. It takes about as long as reading the files.
        """),
    .choice(
      "for", "PROGRAM", \.options.consumer, in: .content,
      "say whether a program would load it: olmo, hf, torch",
      manual: "Says whether a program would load the INPUT as it is, and if not, why."),
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
          console.progress?.update(done: done, total: total)
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
    lines.append("\(examination.path): \(verdict(examination))".harmless)
    return lines.map { "\($0)\n" }.joined()
  }

  private func verdict(_ examination: CheckpointCheck) -> String {
    let problems = examination.findings.count { $0.severity == .problem }
    var verdict = problems == 0 ? "no problem found" : problems.pluralized("problem")
    if let consumer = examination.consumer, let loads = examination.loads {
      verdict += "; \(consumer.program) would\(loads ? "" : " not") load it"
    }
    let examined = examination.examined.joined(separator: ", ")
    return examined.isEmpty ? verdict : "\(verdict); examined: \(examined)"
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
  /// What sentences call it.
  fileprivate var program: String {
    switch self {
    case .olmo: "OLMo's trainer"
    case .huggingFace: "transformers"
    case .torch: "torch.load with weights_only=True"
    }
  }
}

extension Finding.Severity {
  /// The color that the word has.
  fileprivate var role: Style.Role {
    switch self {
    case .problem: .error
    case .warning: .warning
    case .note: .hint
    }
  }
}
