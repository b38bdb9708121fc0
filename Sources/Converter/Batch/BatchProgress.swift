/// An observer of a batch; called on any thread.
package protocol BatchObserver: Sendable {
  /// Called when the progress changes.
  func update(_ progress: BatchProgress)
  /// Called when an item ended and its outputs are on the disk.
  func finished(_ report: ItemReport, _ progress: BatchProgress)
}

/// The progress of a batch.
package struct BatchProgress: Hashable, Sendable {
  /// The number of items that ended in this run.
  package var itemsDone = 0
  /// The number of items to do in this run.
  package var itemCount = 0
  /// The number of bytes read so far.
  package var bytesDone = 0
  /// The number of bytes of all items.
  package var byteCount = 0
  /// The running items, the oldest first.
  package var running: [String] = []

  /// Creates an empty progress.
  package init() {}
}

/// Adds up the progress of the items of a run.
struct ProgressTracker: Sendable {
  private struct Running {
    let name: String
    var byteCount = 0
    var isWorkedOn = true
  }

  /// The number of items.
  var itemCount = 0
  /// The number of bytes of all items.
  var byteCount = 0
  private var itemsDone = 0
  private var bytesOfEnded = 0
  private var running: [(index: Int, item: Running)] = []

  /// The number of running items.
  var runningCount: Int { running.count { $0.item.isWorkedOn } }

  /// Records the start of an item.
  mutating func begin(_ index: Int, _ name: String) {
    running.append((index, Running(name: name)))
  }

  /// Records the progress of an item, scaled to the size of its input.
  mutating func update(_ index: Int, done: Int, of total: Int, size: Int) {
    guard total > 0, let place = running.firstIndex(where: { $0.index == index }) else { return }
    running[place].item.byteCount = Int(Double(size) * min(1, Double(done) / Double(total)))
  }

  /// Records that the work on an item ended.
  mutating func end(_ index: Int) {
    guard let place = running.firstIndex(where: { $0.index == index }) else { return }
    running[place].item.isWorkedOn = false
  }

  /// Records that an item is in the journal.
  mutating func finish(_ index: Int, size: Int) {
    running.removeAll { $0.index == index }
    itemsDone += 1
    bytesOfEnded += size
  }

  /// The total progress.
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
