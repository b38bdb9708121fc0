internal import Bytes
internal import Converter
internal import Formats

/// The conversion of one input of a batch.
struct ConversionWork: BatchWork {
  let tasks: [ConversionTask]
  let options: ConversionOptions

  var reads: [String] { tasks.flatMap { $0.steps.map(\.source) } }
  var writes: [String] { tasks.flatMap { $0.steps.compactMap(\.output) } }

  func measure() throws(FormatError) -> Int {
    var total = 0
    for task in tasks { total += try Conversion(options).measure(task) }
    return total
  }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> WorkResult {
    var options = options
    options.budget = budget.copying
    options.replacesExisting = budget.replacesExisting
    var result = WorkResult()
    result.isVerified = options.verifiesOutputs && options.keepsEverything
    for task in tasks {
      for output in try Conversion(options).run(task, progress: progress) {
        result.outputs.append(output.path)
        // What stays behind is told in a warning; then the input holds more than the output.
        if !output.warnings.isEmpty { result.isVerified = false }
        result.warnings += output.warnings.map { "\(output.source): \($0)" }
      }
    }
    return result
  }
}
