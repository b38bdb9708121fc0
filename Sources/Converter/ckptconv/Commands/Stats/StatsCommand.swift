internal import CkptBase
internal import CkptBatch
internal import CkptCheck
internal import CkptCopy
internal import CkptStats

/// `ckptconv stats`.
struct StatsCommand: Command {
  static let name = "stats"
  static let summary = "measure weights and updates, and say what looks sick"
  static let manual = """
    Measures the tensors of each INPUT: the size and the distribution of the weights, gradients and
    updates as the moments of the optimizer show them, and how far weights have moved between steps.
    Rules judge the numbers. No training log is needed. INPUT is a file, a checkpoint directory, a
    directory that contains checkpoints, or a directory or file of statistics.

    One checkpoint gives a table of its tensors. Several give one line per step. Findings follow. A
    `problem` means that the checkpoint is broken, a `warning` is unusual, a `note` is worth knowing.
    The exit code is 1 if there is a problem.

    `--output` keeps the statistics of each checkpoint in a small file. The next call measures only
    checkpoints that are new or have changed, and `ckptconv stats` DIR works without the checkpoints.
    Documentation/stats.md explains every number and every rule.
    """
  static let examples = [
    Example(line: "ckptconv stats step1000-unsharded", purpose: "Measure a checkpoint:"),
    Example(
      line: "ckptconv stats runs/peteish1 -o stats --html report.html",
      purpose: "Measure the new checkpoints of a run, and write a report of the whole run:"),
    Example(
      line: "ckptconv stats --sort kurtosis --limit 10 model.safetensors",
      purpose: "List the ten tensors with the heaviest tails:"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<StatsCommand>] = StatsOptions.flags.map { $0.lifted(to: \.options) }

  private var options = StatsOptions()

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    options.measuring.budget = shared.budget
    try options.check()
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    TerminalSyscalls.stopGracefullyWhenInterrupted()
    var exitCode = ExitCode.done
    var session = try StatsSession(options, shared, console)
    let inputs = try inputs(operands, shared, console, &exitCode)
    for input in inputs {
      guard !console.hasLostReader else { break }
      do throws(CheckpointError) {
        try session.take(input)
      } catch {
        console.report(error)
        exitCode.merge(ExitCode(error))
        if error.code == .cancelled { break }
      }
    }
    exitCode.merge(try session.conclude())
    return exitCode
  }

  /// The checkpoints to measure, or, where their statistics are kept, the files with these.
  private func inputs(
    _ operands: [String], _ shared: SharedOptions, _ console: Console, _ exitCode: inout ExitCode
  ) throws(CheckpointError) -> [StatisticsInput] {
    var inputs: [StatisticsInput] = []
    guard let directory = options.directory else {
      for operand in operands {
        do throws(CheckpointError) {
          inputs += try StatisticsInput.all(of: operand, for: verb)
        } catch {
          console.report(error)
          exitCode.merge(ExitCode(error))
        }
      }
      return try StatisticsInput.ordered(inputs)
    }
    // Problems are told, and JSON is printed, for the run as a whole.
    var telling = shared
    telling.json = false
    let batch = BatchSession(
      verb: StatsVerb(name: Self.name, options.measuring, reportsProblems: false),
      BatchOptions(updating: directory), settings: options.settings, telling, console)
    exitCode.merge(try batch.run(on: operands).withoutFindings)
    for path in try batch.outputs(for: operands) where try FilePath(path).status() != nil {
      inputs.append(.stored(path))
    }
    return try StatisticsInput.ordered(inputs)
  }

  private var verb: StatsVerb { StatsVerb(name: Self.name, options.measuring) }
}

extension StatsCommand: BatchableCommand {
  static var flagsOfOneInput: Set<String> { StatsOptions.listingFlags }

  static var batchManual: String {
    """
    A batch keeps the statistics of each checkpoint in ROOT, as `ckptconv stats` `--output` does.
    `ckptconv stats` ROOT then judges the whole run.
    """
  }

  func batchVerb() -> any BatchVerb { verb }
}

extension ExitCode {
  /// The status without what was found: of the errors alone.
  fileprivate var withoutFindings: ExitCode { self == .difference ? .done : self }
}
