internal import CkptBase
internal import CkptCheckpoints
package import CkptConvert
package import CkptFormats

/// `pt-to-safetensors` and `safetensors-to-pt` as verbs of a batch.
package struct ConversionVerb: BatchVerb {
  package let name: String
  private let options: ConversionOptions

  /// Creates a verb that converts with `options`.
  package init(name: String, _ options: ConversionOptions) {
    self.name = name
    self.options = options
  }

  package var writes: Bool { true }
  package var canVerify: Bool { true }
  package var verifies: Bool { options.verifiesOutputs }

  package var fileExtensions: [String] {
    options.format == .torch ? ["safetensors"] : ["pt", "pth", "bin", "ckpt"]
  }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    CheckpointFile.needsWholeDirectory(names)
      || !names.isDisjoint(
        with: options.format == .torch
          ? ["model.safetensors", "optim.safetensors", "model.safetensors.index.json"]
          : ["model.pt", "optim.pt", "pytorch_model.bin", "pytorch_model.bin.index.json"])
  }

  package func takes(_ kind: FileKind) -> Bool {
    kind.format == options.format.source
  }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    var options = options
    options.hiddenDirectory = place.hiddenPath
    let tasks = try Conversion(options).tasks(
      for: [input], to: try place.destination(of: input))
    var reads: [String] = []
    for step in tasks.flatMap(\.steps) {
      if step.action == .carry {
        reads.append(step.source)
      } else {
        reads += try ModelFolder.files(of: step.source)
      }
    }
    return ConversionWork(tasks: tasks, options: options, reads: reads)
  }
}

/// The conversion of one input of a batch.
struct ConversionWork: BatchWork {
  let tasks: [ConversionTask]
  let options: ConversionOptions
  let reads: [String]

  var writes: [String] {
    tasks.flatMap { task in
      if let directory = task.directory, task.ownsDirectory, task.decidesNamesLate {
        return [directory]
      }
      return task.steps.compactMap(\.target.path)
    }
  }
  var leftovers: [String] {
    tasks.contains(where: \.ownsDirectory) ? [options.hiddenDirectory].compactMap(\.self) : []
  }

  func measure() throws(CheckpointError) -> Int {
    var total = 0
    for task in tasks { total += try Conversion(options).measure(task) }
    return total
  }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    var options = options
    options.budget = budget.copying
    options.writing.replacesExisting = budget.replacesExisting
    var result = WorkResult()
    result.isVerified =
      options.verifiesOutputs && options.keepsEverything
      && !tasks.contains(where: \.decidesNamesLate)
    for task in tasks {
      for output in try Conversion(options).run(task, progress: progress) {
        result.outputs.append(output.path)
        // Contents that are lost give a warning. Then the input has more than the output.
        if !output.warnings.isEmpty { result.isVerified = false }
        result.warnings += output.warnings.map { "\(output.source): \($0)" }
      }
    }
    return result
  }
}
