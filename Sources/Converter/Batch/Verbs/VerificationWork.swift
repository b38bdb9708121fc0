internal import Bytes
internal import Converter

/// The comparison of one input of a batch with its counterpart.
struct VerificationWork: ReadOnlyWork {
  let input: String
  let counterpart: String
  let reads: [String]

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> WorkResult {
    let verification = try Verification(of: input, and: counterpart, budget: budget.copying)
    var progress = PartProgress(
      try verification.pairs.map { pair throws(FormatError) in
        try FilePath(pair.first).byteCount()
      }, report: progress)
    var result = WorkResult()
    result.problems = verification.differences.sentences(of: verification.differences.count)
    var notCompared = verification.notCompared
    for pair in verification.pairs {
      let finding = try verification.compare(pair, progress: progress.next())
      let place = FilePath(pair.first).prefix(below: input)
      result.problems += finding.differences.sentences(of: finding.differenceCount)
        .map { place + $0 }
      result.warnings += finding.warnings
      notCompared += finding.notCompared
    }
    var seen: Set<String> = []
    result.notes = notCompared.filter { seen.insert($0).inserted }.map { "not compared: \($0)" }
    return result
  }
}
