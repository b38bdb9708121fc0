internal import Glibc

/// A value that one thread at a time may touch (`pthread_mutex_lock`).
///
/// The standard library's `Mutex` calls the kernel by itself, which the thread sanitizer does not
/// see: it would report every use as a race and hide the real ones.
@safe
package final class Locked<Value: Sendable>: @unchecked Sendable {
  // The mutex must not move while it is in use, so it lies in an allocation of its own.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  /// A lock around `value`.
  package init(_ value: Value) {
    self.value = value
    unsafe mutex = .allocate(capacity: 1)
    // Safe: the memory was allocated above and holds the mutex until `deinit`.
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe pthread_mutex_init(mutex, nil)
  }

  deinit {
    // Safe: nobody holds a lock of an object that nobody refers to.
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Runs `body` with the value while no other thread can.
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Safe: the mutex lives as long as `self`, and is unlocked by the thread that locked it.
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
