internal import Synchronization

/// A request to stop work.
///
/// Any thread can make it at any time, and it is final.
///
/// Work checks the request regularly. Then it throws ``CheckpointError/Code/cancelled`` and leaves
/// nothing half-written. One value can stop any number of runs.
public final class Cancellation: Sendable {
  private let flag = Atomic(false)

  /// Creates a request that was not made yet.
  public init() {}

  /// Makes the request; a signal handler can call this.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Whether the request was made.
  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  /// Throws if the request was made.
  ///
  /// - Throws: `cancelled` if it was made.
  public func check() throws(CheckpointError) {
    if isCancelled { throw CheckpointError(.cancelled, "the run was cancelled") }
  }
}
