internal import Bytes
internal import Converter

/// The examination of one input of a batch.
struct ExaminationWork: ReadOnlyWork {
  let input: String
  let options: ExaminationOptions
  let reads: [String]

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> WorkResult {
    var options = options
    options.budget = budget.copying
    var result = WorkResult()
    for finding in try Examination(of: input, options, progress: progress).findings {
      switch finding.severity {
      case .problem:
        result.problems.append(FilePath(finding.path).prefix(below: input) + finding.sentence)
      case .warning: result.warnings.append("\(finding.path): \(finding.sentence)")
      case .note: result.notes.append("\(finding.path): \(finding.sentence)")
      }
    }
    return result
  }
}
