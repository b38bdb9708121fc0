package import CkptBase
package import CkptCheck
internal import CkptCheckpoints
internal import CkptConvert

/// `check` as a verb of a batch.
package struct CheckVerb: ReadOnlyVerb {
  package let name: String
  private let options: CheckOptions

  /// Creates a verb that checks with `options`.
  package init(name: String, _ options: CheckOptions) {
    self.name = name
    self.options = options
  }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    CheckpointNames.holdsParts(names)
  }

  package func takesRemains(directoryHolding names: Set<String>) -> Bool {
    CheckpointNames.holdsConfiguration(names)
  }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    // Any present or missing file can be a finding.
    CheckWork(input: input, options: options, reads: try FilePath(input).files())
  }
}

/// The check of one input of a batch.
struct CheckWork: ReadOnlyWork {
  let input: String
  let options: CheckOptions
  let reads: [String]

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    var options = options
    options.budget = budget.copying
    var result = WorkResult()
    for finding in try CheckpointCheck(of: input, options, progress: progress).findings {
      let notice = finding.notice
      switch finding.severity {
      case .problem:
        result.problems.append(notice.prefixed(by: FilePath(finding.path).prefix(below: input)))
      case .warning: result.warnings.append(notice.prefixed(by: "\(finding.path): "))
      case .note: result.notes.append(notice.prefixed(by: "\(finding.path): "))
      }
    }
    return result
  }
}
