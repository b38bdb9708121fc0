internal import Bytes

/// An item whose work has ended and of which the journal does not know yet.
struct EndedItem: Sendable {
  /// Its number in the schedule.
  let index: Int
  /// How often it was tried.
  let attempts: Int
  /// What was read, as it was before.
  var inputs: [FileIdentity] = []
  /// What came of it.
  var result = WorkResult()
  /// Why it failed.
  var error: FormatError?
  /// How long it took, in nanoseconds.
  var duration = 0

  /// An item that has just been begun.
  init(index: Int, attempts: Int) {
    self.index = index
    self.attempts = attempts
  }
}
