internal import Synchronization

/// Whether somebody wants the program to stop: Control-C, a job queue, a shutdown.
///
/// Signals are sent to the process and not to a part of it, so this is one for the process. It is
/// set by a signal handler, and by nobody in programs that have none.
package enum Interruption {
  private static let number = Atomic<Int32>(0)

  /// Whether work should be given up at the next convenient moment.
  package static var isRequested: Bool { number.load(ordering: .relaxed) != 0 }

  /// The signal that asked for it; `nil` when none did.
  package static var signal: Int32? { isRequested ? number.load(ordering: .relaxed) : nil }

  /// Asks for it; a signal handler may call this.
  package static func request(signal: Int32) { number.store(signal, ordering: .relaxed) }
}
