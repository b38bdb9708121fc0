import CkptBase
import CkptFormats

@testable import CkptBatch

/// Work that does what a test wants.
struct FakeWork: BatchWork {
  var reads: [String] = []
  var writes: [String] = []
  var leftovers: [String] = []
  var body: @Sendable (WorkBudget) throws(CheckpointError) -> WorkResult = { _ in WorkResult() }

  func measure() throws(CheckpointError) -> Int { 0 }

  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult {
    progress(1, 2)
    return try body(budget)
  }
}

/// A verb whose work tests make themselves.
struct FakeVerb: BatchVerb {
  var name: String { "fake" }
  var writes = true
  var fileExtensions: [String] { ["pt"] }

  func takes(directoryHolding names: Set<String>) -> Bool { names.contains("model.pt") }
  func takesRemains(directoryHolding names: Set<String>) -> Bool { names.contains("config.yaml") }
  func takes(_ kind: FileKind) -> Bool { kind == .zip || kind == .truncatedZip }

  func work(
    on input: String, into place: OutputPlace
  ) throws(CheckpointError) -> any BatchWork {
    FakeWork(reads: [input], writes: ["\(place.directory)/\(place.name).out"])
  }
}

/// Remembers what it was told.
final class Recorder: BatchObserver {
  let finished = Locked<[(report: ItemReport, progress: BatchProgress)]>([])
  let updates = Locked(0)

  func update(_ progress: BatchProgress) { updates.withLock { $0 += 1 } }

  func finished(_ report: ItemReport, _ progress: BatchProgress) {
    finished.withLock { $0.append((report, progress)) }
  }
}
