internal import CkptBase

/// What was changed in a file after its skeleton was written.
struct EditLog {
  /// How many changes are told one by one; the rest are counted.
  private static let toldCount = 20

  private var told: [String] = []
  private var count = 0

  /// Whether nothing was changed.
  var isEmpty: Bool { count == 0 }

  /// The changes in words.
  var warnings: [String] {
    guard count > told.count else { return told }
    return told + ["\(count - told.count) more tensors or values were changed, removed or added"]
  }

  /// Notes that something is another now.
  mutating func note(change name: String, from old: String, to new: String) {
    note("'\(name)' was \(old) when the skeleton was written and is \(new) now")
  }

  /// Notes that something is not there any more.
  mutating func note(removal name: String) {
    note("'\(name)' was removed after the skeleton was written and is left out")
  }

  /// Notes that something is there that was not.
  mutating func note(addition name: String) {
    note("'\(name)' was added after the skeleton was written")
  }

  private mutating func note(_ text: String) {
    count += 1
    if count <= Self.toldCount { told.append(text) }
  }

  /// The error for a change that the object cannot follow.
  static func refusal(
    _ message: String, _ code: CheckpointError.Code = .unsupported
  ) -> CheckpointError {
    CheckpointError(code, message, remedy: .action(.ignoreSkeleton))
  }
}
