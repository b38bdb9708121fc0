package import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert
internal import CkptCopy
package import CkptFormats
internal import CkptHuggingFace

/// `verify` as a verb of a batch: compares inputs with their counterparts below the root.
package struct VerifyVerb: ReadOnlyVerb {
  package let name: String

  private let reading: ReadingOptions

  /// Creates the verb.
  package init(name: String, _ reading: ReadingOptions = ReadingOptions()) {
    self.name = name
    self.reading = reading
  }

  package var comparesWithRoot: Bool { true }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    let counterpart = try place.counterpart(of: input, withExtensions: fileExtensions)
    let translated = try TranslatedComparison(
      of: input, and: counterpart, reading, budget: CopyBudget())
    let reads =
      if let translated { try translated.sources } else {
        try FilePairing(of: input, and: counterpart).sources
      }
    return VerifyWork(input: input, counterpart: counterpart, reading: reading, reads: reads)
  }
}

extension OutputPlace {
  /// Returns the counterpart of an input: the directory with its name, or the file with its name
  /// and its own extension or the first of `extensions` that exists.
  ///
  /// - Throws: `inputOutput` if there is none, `unsupported` if it is the input itself.
  fileprivate func counterpart(
    of input: String, withExtensions extensions: [String]
  ) throws(CheckpointError) -> String {
    var names = [name]
    if try FilePath(input).status()?.isDirectory == false {
      names += extensions.map { FilePath(name).name(withExtension: $0) }
    }
    let found = try FilePath.existing(names, in: FilePath(directory))
    for path in found where try !FilePath(path).isSameFile(as: input) { return path }
    guard found.isEmpty else {
      throw CheckpointError(
        .unsupported, "it would be compared with itself",
        remedy: .action(.compareWithOtherTree)
      ).framed(by: input)
    }
    var error = CheckpointError.missing(path)
    error.remedy = .text("'\(input)' has no counterpart", .nameTree)
    throw error
  }
}

/// The comparison of one input of a batch with its counterpart.
struct VerifyWork: ReadOnlyWork {
  let input: String
  let counterpart: String
  let reading: ReadingOptions
  let reads: [String]

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    let report =
      if let translated = try TranslatedComparison(
        of: input, and: counterpart, reading, budget: budget.copying)
      {
        try translated.run(progress: progress)
      } else {
        try VerifyReport(
          of: input, and: counterpart, reading, budget: budget.copying, progress: progress)
      }
    if let failure = report.failures.first { throw failure.error }
    var result = WorkResult()
    result.problems = report.differences.notices(of: report.differences.count)
    for finding in report.findings {
      let place = FilePath(finding.first).prefix(below: input)
      result.problems += finding.differences.notices(of: finding.differenceCount, prefix: place)
      result.warnings += finding.warnings.map { Notice($0) }
    }
    var seen: Set<String> = []
    let notCompared = report.notCompared + report.findings.flatMap(\.notCompared)
    result.notes = notCompared.filter { seen.insert($0).inserted }.map { "not compared: \($0)" }
    return result
  }
}
