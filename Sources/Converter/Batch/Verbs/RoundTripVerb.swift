package import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert
package import CkptFormats
package import CkptSkeleton

/// `roundtrip` as a verb of a batch.
package struct RoundTripVerb: ReadOnlyVerb {
  package let name: String
  private let layout: Layout?
  private let reading: ReadingOptions

  /// Creates a verb with the naming `layout`, by default that of each file's location.
  package init(name: String, layout: Layout?, _ reading: ReadingOptions = ReadingOptions()) {
    self.name = name
    self.layout = layout
    self.reading = reading
  }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    RoundTripWork(
      input: input, layout: layout, reading: reading, reads: try RoundTrip.files(of: input))
  }
}

/// The round trips of the files of one input of a batch.
struct RoundTripWork: ReadOnlyWork {
  let input: String
  let layout: Layout?
  let reading: ReadingOptions
  let reads: [String]

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    let roundTrip = RoundTrip(layout: layout, reading, budget: budget.copying)
    var progress = PartProgress(
      try reads.map { path throws(CheckpointError) in try FilePath(path).byteCount() },
      report: progress)
    var result = WorkResult()
    for path in reads {
      let finding = try roundTrip.run(path, progress: progress.next())
      result.warnings += finding.warnings.map { "\(path): \($0)" }
      if finding.isLossy {
        let place = FilePath(path).prefix(below: input)
        result.problems += finding.reasons.map { Notice(place + $0) }
        result.problems += finding.differences.notices(of: finding.differenceCount, prefix: place)
      } else if finding.verdict == .sameObject {
        let reasons = finding.reasons.map { ": \($0)" }.joined()
        result.warnings.append("\(path): same object, different bytes\(reasons)")
      }
    }
    return result
  }
}
