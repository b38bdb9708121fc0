package import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert

/// `verify` as a verb of a batch: compares inputs with their counterparts below the root.
package struct VerifyVerb: ReadOnlyVerb {
  package let name: String

  /// Creates the verb.
  package init(name: String) { self.name = name }

  package var comparesWithRoot: Bool { true }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    let counterpart = try place.counterpart(of: input, withExtensions: fileExtensions)
    let pairing = try FilePairing(of: input, and: counterpart)
    return VerifyWork(input: input, counterpart: counterpart, reads: try pairing.sources)
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
  let reads: [String]

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    let pairing = try FilePairing(of: input, and: counterpart)
    var progress = PartProgress(
      try pairing.pairs.map { pair throws(CheckpointError) in
        try FilePath(pair.first).byteCount()
      }, report: progress)
    var result = WorkResult()
    result.problems = pairing.differences.notices(of: pairing.differences.count)
    var notCompared = pairing.notCompared
    for pair in pairing.pairs {
      let finding = try VerifyFinding(
        of: pair, budget: budget.copying, progress: progress.next())
      let place = FilePath(pair.first).prefix(below: input)
      result.problems += finding.differences.notices(of: finding.differenceCount, prefix: place)
      result.warnings += finding.warnings.map { Notice($0) }
      notCompared += finding.notCompared
    }
    var seen: Set<String> = []
    result.notes = notCompared.filter { seen.insert($0).inserted }.map { "not compared: \($0)" }
    return result
  }
}
