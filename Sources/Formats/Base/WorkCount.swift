#if DEBUG
  internal import Synchronization
#endif

/// Counts what readers and writers look at, so that tests can hold the work for a file to its size.
///
/// A count is the same on every machine, which no time is. It is taken in the few places that all
/// work passes through: nodes and runs of the graph, and bytes that are read, written or compared.
/// Only debug builds count; in others nothing of this remains.
@usableFromInline
package enum WorkCount: Sendable {
  /// Notes that `count` nodes or bytes are looked at.
  @inlinable @inline(__always)
  package static func add(_ count: Int) {
    #if DEBUG
      note(count)
    #endif
  }

  #if DEBUG
    private static let count = Atomic<Int>(0)

    /// The number of nodes and bytes that the process has looked at.
    package static var total: Int { count.load(ordering: .relaxed) }

    @usableFromInline
    static func note(_ added: Int) {
      // Threads that copy data count as well, in any order.
      count.wrappingAdd(added, ordering: .relaxed)
    }
  #endif
}
