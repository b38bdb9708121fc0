internal import CkptBase

/// The changes to a file since its skeleton was written.
struct EditLog {
  /// The maximum number of changes to report one by one; the others are counted.
  private static let toldCount = 20

  private var told: [String] = []
  private var count = 0

  /// Whether there are no changes.
  var isEmpty: Bool { count == 0 }

  /// The changes as warnings.
  var warnings: [String] {
    guard count > told.count else { return told }
    return told + ["\(count - told.count) more tensors or values were changed, removed or added"]
  }

  /// Records a changed value.
  mutating func note(change name: String, from old: String, to new: String) {
    note("'\(name)' was \(old) when the skeleton was written and is now \(new)")
  }

  /// Records a removed value.
  mutating func note(removal name: String) {
    note("'\(name)' was removed after the skeleton was written")
  }

  /// Records an added value.
  mutating func note(addition name: String) {
    note("'\(name)' was added after the skeleton was written")
  }

  private mutating func note(_ text: String) {
    count += 1
    if count <= Self.toldCount { told.append(text) }
  }

  /// Returns the error for a change that the object cannot hold.
  static func refusal(
    _ message: String, _ code: CheckpointError.Code = .unsupported
  ) -> CheckpointError {
    CheckpointError(code, message, remedy: .action(.ignoreSkeleton))
  }
}
