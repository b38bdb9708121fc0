internal import CkptBase
internal import CkptConvert
package import CkptFormats
package import CkptHuggingFace

/// `olmo-to-hf` and `hf-to-olmo` as verbs of a batch, from one directory to another.
package struct FolderVerb: BatchVerb {
  package let name: String
  private let conversion: any DirectoryConversion

  /// Creates a verb that runs `conversion`.
  package init(name: String, _ conversion: any DirectoryConversion) {
    self.name = name
    self.conversion = conversion
  }

  package var writes: Bool { true }
  package var canVerify: Bool { true }
  package var verifies: Bool { conversion.folder.verifiesOutputs }
  package var fileExtensions: [String] { [] }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    conversion.takes(directoryHolding: names)
  }

  package func takes(_ kind: FileKind) -> Bool { false }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    guard try !place.isInput(input) else {
      throw CheckpointError(
        .unsupported, "it would be converted into itself",
        remedy: .action(.writeToOtherDirectory)
      ).framed(by: input)
    }
    return FolderWork(
      conversion: conversion, input: input, output: place.path,
      hidden: place.hiddenPath, reads: try conversion.sources(of: input))
  }
}

/// The conversion of one directory of a batch.
struct FolderWork: BatchWork {
  let conversion: any DirectoryConversion
  let input: String
  let output: String
  /// The directory for incomplete output files.
  let hidden: String
  let reads: [String]

  var writes: [String] { [output] }
  var leftovers: [String] { [hidden] }

  func measure() throws(CheckpointError) -> Int { try conversion.measure(input, to: output) }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    var conversion = conversion
    conversion.folder.budget = budget.copying
    conversion.folder.writing.replacesExisting = budget.replacesExisting
    conversion.folder.hiddenDirectory = hidden
    let report = try conversion.run(input, to: output, progress: progress)
    var result = WorkResult()
    result.outputs = report.outputs.map(\.path)
    for written in report.outputs {
      result.warnings += written.warnings.map { "\(written.source): \($0)" }
    }
    result.warnings += report.allWarnings.map { $0.prefixed(by: "\(input): ") }
    result.notes = report.notes
    result.isVerified =
      conversion.folder.verifiesOutputs && conversion.keepsEverything && !report.isPartial
      && result.warnings.isEmpty
    return result
  }
}
