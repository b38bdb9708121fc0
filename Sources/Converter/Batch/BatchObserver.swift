/// Who wants to know how a batch is coming along; called from any thread.
package protocol BatchObserver: Sendable {
  /// Something has moved.
  func update(_ progress: BatchProgress)
  /// An item has ended, and what it wrote is on the disk.
  func finished(_ report: ItemReport, _ progress: BatchProgress)
}

/// How far a batch has come.
package struct BatchProgress: Hashable, Sendable {
  /// How many items have ended in this run.
  package var itemsDone = 0
  /// How many items there are to do in this run.
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
