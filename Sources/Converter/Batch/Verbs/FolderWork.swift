internal import Bytes
internal import Converter

/// The conversion of one directory of a batch.
struct FolderWork: BatchWork {
  let conversion: any FolderConversion
  let input: String
  let output: String
  /// Where the files of the output are until all are complete.
  let hidden: String
  let reads: [String]

  var writes: [String] { [output] }
  var leftovers: [String] { [hidden] }

  func measure() throws(FormatError) -> Int { try conversion.measure(input, to: output) }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> WorkResult {
    var conversion = conversion
    conversion.folder.budget = budget.copying
    conversion.folder.replacesExisting = budget.replacesExisting
    conversion.folder.hiddenDirectory = hidden
    let report = try conversion.run(input, to: output, progress: progress)
    var result = WorkResult()
    result.outputs = report.outputs.map(\.path)
    for written in report.outputs {
      result.warnings += written.warnings.map { "\(written.source): \($0)" }
    }
    result.warnings += report.allWarnings.map { "\(input): \($0)" }
    result.notes = report.notes
    return result
  }
}
