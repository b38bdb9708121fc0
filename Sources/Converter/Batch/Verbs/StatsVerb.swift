package import CkptBase
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptCopy
package import CkptFormats
package import CkptStats

/// `stats` as a verb of a batch: it looks at checkpoints, and keeps a file of numbers about each.
package struct StatsVerb: BatchVerb {
  package let name: String
  private let options: StatisticsOptions
  private let reportsProblems: Bool

  /// Measurements that follow `options`; `reportsProblems` says whether what is wrong with a checkpoint
  /// by itself is a problem of the item.
  package init(name: String, _ options: StatisticsOptions, reportsProblems: Bool = true) {
    self.name = name
    self.options = options
    self.reportsProblems = reportsProblems
  }

  package var writes: Bool { true }
  package var outputVersion: Int? { CheckpointStatistics.version }
  package var fileExtensions: [String] { ["safetensors", "pt", "pth", "bin", "ckpt"] }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    CheckpointNames.holdsStates(names) || CheckpointFile.needsWholeDirectory(names)
  }

  package func takes(_ kind: FileKind) -> Bool { kind.format != nil }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    StatsWork(
      input: input, output: place.path + CheckpointStatistics.fileSuffix, options: options,
      reportsProblems: reportsProblems, reads: try FilePath(input).files())
  }
}

/// The measurement of one input of a batch.
struct StatsWork: BatchWork {
  let input: String
  let output: String
  let options: StatisticsOptions
  let reportsProblems: Bool
  let reads: [String]

  var writes: [String] { [output] }

  /// Some hundred bytes for each of several hundred tensors: no disk is filled by them.
  func measure() throws(CheckpointError) -> Int { 0 }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    var options = options
    options.budget = budget.copying
    let statistics = try CheckpointStatistics(of: input, options, progress: progress)
    try StagedOutput.write(
      Array("\(statistics.json)\n".utf8), to: output,
      WritingOptions(replacesExisting: budget.replacesExisting))
    var result = WorkResult()
    result.outputs = [output]
    result.warnings = statistics.warnings.map { Notice($0) }
    guard reportsProblems else { return result }
    // What a step shows beside others, the run as a whole shows.
    var run = RunStatistics()
    run.add(statistics)
    result.problems = run.findings.filter { $0.severity == .problem }.map { Notice($0.line) }
    return result
  }
}
