/// Who wants to know how a batch is coming along; called from any thread.
package protocol BatchObserver: Sendable {
  /// Something has moved.
  func update(_ progress: BatchProgress)
  /// An item has ended, and what it wrote is on the disk.
  func finished(_ report: ItemReport, _ progress: BatchProgress)
}

/// The progress of a batch.
package struct BatchProgress: Hashable, Sendable {
  /// The number of items that have ended in this run.
  package var itemsDone = 0
  /// The number of items to do in this run.
  package var itemCount = 0
  /// The bytes read of them so far.
  package var bytesDone = 0
  /// The bytes that they have together.
  package var byteCount = 0
  /// The items that are being worked on, those that were begun first in front.
  package var running: [String] = []

  /// No progress.
  package init() {}
}

/// Adds up how far the items of a run have come.
struct ProgressTracker: Sendable {
  private struct Running {
    let name: String
    var byteCount = 0
    var isWorkedOn = true
  }

  /// How many items there are.
  var itemCount = 0
  /// The bytes that they have together.
  var byteCount = 0
  private var itemsDone = 0
  private var bytesOfEnded = 0
  private var running: [(index: Int, item: Running)] = []

  /// How many items are being worked on.
  var runningCount: Int { running.count { $0.item.isWorkedOn } }

  /// Notes that an item has been begun.
  mutating func begin(_ index: Int, _ name: String) {
    running.append((index, Running(name: name)))
  }

  /// Notes how far an item has come; its bytes count as those of its input.
  mutating func update(_ index: Int, done: Int, of total: Int, size: Int) {
    guard total > 0, let place = running.firstIndex(where: { $0.index == index }) else { return }
    running[place].item.byteCount = Int(Double(size) * min(1, Double(done) / Double(total)))
  }

  /// Notes that the work on an item has ended.
  mutating func end(_ index: Int) {
    guard let place = running.firstIndex(where: { $0.index == index }) else { return }
    running[place].item.isWorkedOn = false
  }

  /// Notes that an item is in the journal.
  mutating func finish(_ index: Int, size: Int) {
    running.removeAll { $0.index == index }
    itemsDone += 1
    bytesOfEnded += size
  }

  /// All of it together.
  var progress: BatchProgress {
    var progress = BatchProgress()
    progress.itemsDone = itemsDone
    progress.itemCount = itemCount
    progress.bytesDone = bytesOfEnded + running.reduce(0) { $0 + $1.item.byteCount }
    progress.byteCount = byteCount
    progress.running = running.filter(\.item.isWorkedOn).map(\.item.name)
    return progress
  }
}
