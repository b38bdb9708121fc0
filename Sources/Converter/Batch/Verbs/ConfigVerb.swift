internal import CkptBase
internal import CkptCheckpoints
package import CkptConvert
package import CkptFormats

/// `config` as a verb of a batch.
package struct ConfigVerb: BatchVerb {
  package let name: String
  private let target: ConfigTranslation.Target?
  private let options: ConfigTranslation.Options

  /// Creates a verb that translates to `target`, by default to the other side.
  package init(
    name: String, to target: ConfigTranslation.Target?, _ options: ConfigTranslation.Options
  ) {
    self.name = name
    self.target = target
    self.options = options
  }

  package var writes: Bool { true }
  package var fileExtensions: [String] { [] }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    takesRemains(directoryHolding: names) && CheckpointNames.holdsStates(names)
  }

  package func takesRemains(directoryHolding names: Set<String>) -> Bool {
    ConfigTranslation.takes(directoryHolding: names, to: target)
  }

  package func takes(_ kind: FileKind) -> Bool { false }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    let work = ConfigWork(
      input: input, target: target, destination: try place.destination(of: input),
      options: options)
    // A configuration is small, so translating it tells what is read and written.
    return try work.planned()
  }
}

/// The translation of one configuration of a batch.
struct ConfigWork: BatchWork {
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

  /// Returns the same work with its inputs and outputs.
  ///
  /// - Throws: the errors of the translation.
  func planned() throws(CheckpointError) -> ConfigWork {
    let translation = try ConfigTranslation(of: input, to: target, into: destination, options)
    var planned = self
    planned.reads = try translation.sources
    planned.writes = translation.files.map(\.path)
    planned.byteCount = translation.files.reduce(0) { $0 + $1.text.count }
    return planned
  }

  func measure() throws(CheckpointError) -> Int { byteCount }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    var options = options
    options.writing.replacesExisting = budget.replacesExisting
    let translation = try ConfigTranslation(of: input, to: target, into: destination, options)
    try translation.write()
    var result = WorkResult()
    result.outputs = translation.files.map(\.path)
    result.warnings = translation.warnings
    return result
  }
}
