internal import Glibc

/// A value that one thread at a time may touch, and on whose changes threads can wait
/// (`pthread_cond_wait`).
@safe
package final class Monitor<Value: Sendable>: @unchecked Sendable {
  // Neither may move while it is in use, so they lie in allocations of their own.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var value: Value

  /// A monitor around `value`.
  package init(_ value: Value) {
    self.value = value
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    // Safe: the memory was allocated above and holds mutex and condition until `deinit`.
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    // Safe: nobody waits for, or holds, an object that nobody refers to.
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs `body` with the value while no other thread can, and wakes the threads that wait.
  package func change<Result>(_ body: (inout Value) -> Result) -> Result {
    // Safe: the mutex lives as long as `self`, and is unlocked by the thread that locked it.
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(condition)
      unsafe pthread_mutex_unlock(mutex)
    }
    return body(&value)
  }

  /// Waits until `body` returns a value; it is asked after every change.
  package func wait<Result>(until body: (inout Value) -> Result?) -> Result {
    // Safe: as above; the wait unlocks the mutex and locks it again before it returns.
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) { return result }
      unsafe pthread_cond_wait(condition, mutex)
    }
  }
}
