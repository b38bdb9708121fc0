internal import Bytes
internal import Converter

/// The translation of one configuration of a batch.
struct TranslationWork: BatchWork {
  let input: String
  let target: ConfigTranslation.Target?
  let destination: Destination
  let options: ConfigTranslation.Options
  private(set) var reads: [String] = []
  private(set) var writes: [String] = []
  private var byteCount = 0

  init(
    input: String, target: ConfigTranslation.Target?, destination: Destination,
    options: ConfigTranslation.Options
  ) {
    self.input = input
    self.target = target
    self.destination = destination
    self.options = options
  }

  /// The same with what it reads and writes.
  ///
  /// - Throws: what the translation throws.
  func planned() throws(FormatError) -> TranslationWork {
    let translation = try ConfigTranslation(of: input, to: target, into: destination, options)
    var planned = self
    planned.reads = try translation.sources
    planned.writes = translation.files.map(\.path)
    planned.byteCount = translation.files.reduce(0) { $0 + $1.text.count }
    return planned
  }

  func measure() throws(FormatError) -> Int { byteCount }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> WorkResult {
    var options = options
    options.replacesExisting = budget.replacesExisting
    let translation = try ConfigTranslation(of: input, to: target, into: destination, options)
    try translation.write()
    var result = WorkResult()
    result.outputs = translation.files.map(\.path)
    result.warnings = translation.warnings
    return result
  }
}
