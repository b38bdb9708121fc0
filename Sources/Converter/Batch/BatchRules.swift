internal import Bytes
internal import Plan

/// How a batch is carried out.
package struct BatchRules: Hashable, Sendable {
  /// The flags that decide what outputs hold, as text.
  package var settings = ""
  /// How many items are worked on at once.
  package var jobs = 1
  /// How many threads copy, for all of them together; `nil` for one per processor.
  package var threads: Int?
  /// Whether what earlier runs have done counts.
  package var resumes = false
  /// Whether existing outputs are replaced.
  package var replacesExisting = false
  /// Whether items go on after one has failed.
  package var keepsGoing = false
  /// How often an item is tried again when the system was at fault.
  package var retries = 0
  /// Whether inputs are deleted when their outputs have been verified.
  package var deletesSources = false
  /// Whether inputs are known by a hash of their bytes.
  package var hashesInputs = false

  /// The defaults.
  package init() {}

  /// The least memory that one item can work with, in bytes.
  private static let leastMemory = 1 << 20

  /// What one item may use while `running` are worked on at once: an equal part.
  func budget(running: Int) -> WorkBudget {
    let threads = threads ?? Syscalls.availableProcessors()
    return WorkBudget(
      copying: CopyBudget(
        threads: max(threads / max(running, 1), 1),
        workingMemory: max(CopyEngine.defaultWorkingMemory / max(jobs, 1), Self.leastMemory)),
      replacesExisting: replacesExisting)
  }
}
