internal import Synchronization

/// A request to stop work, which any thread may make at any time and nobody can take back.
///
/// Work that is given one looks at it now and then. When it finds the request, it throws
/// ``CheckpointError/Code/cancelled`` and leaves nothing half-written. One value may stop any number of
/// runs.
public final class Cancellation: Sendable {
  private let flag = Atomic(false)

  /// A request that nobody has made yet.
  public init() {}

  /// Makes the request; a signal handler may do so.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Whether the request was made.
  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  /// Goes on unless the request was made.
  ///
  /// - Throws: `cancelled` if it was.
  public func check() throws(CheckpointError) {
    if isCancelled { throw CheckpointError(.cancelled, "the run was cancelled") }
  }
}
