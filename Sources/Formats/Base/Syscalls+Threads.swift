internal import Glibc

/// Threads that live for one call.
extension Syscalls {
  /// Runs `body` on up to `count` threads, including the calling one, and returns when all have
  /// ended (`pthread_create`).
  ///
  /// A machine can have fewer free threads, so any single thread must be able to do all the work.
  package static func concurrently(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    var threads: [pthread_t] = []
    let task = ThreadTask(body)
    for _ in 1..<max(count, 1) {
      var thread = pthread_t()
      // Safe: the new thread takes over the reference that `argument` holds, exactly once.
      let argument = unsafe Unmanaged.passRetained(task)
      let failed = unsafe pthread_create(
        &thread, nil,
        { argument in
          guard let argument = unsafe argument else { return nil }
          unsafe Unmanaged<ThreadTask>.fromOpaque(argument).takeRetainedValue().body()
          return nil
        }, argument.toOpaque())
      guard failed == 0 else {
        // Safe: no thread was made, so the reference is still ours.
        unsafe argument.release()
        break
      }
      threads.append(thread)
    }
    body()
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class ThreadTask: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

/// A value that one thread at a time can use (`pthread_mutex_lock`).
///
/// The standard library's `Mutex` calls the kernel itself, which the thread sanitizer does not see.
/// It would report every use as a race and hide the real ones.
@safe
package final class Locked<Value: Sendable>: @unchecked Sendable {
  // The mutex must not move while it is used, so it has an allocation of its own.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  /// Creates a lock around `value`.
  package init(_ value: Value) {
    self.value = value
    // Safe: the memory is allocated here and holds the mutex until `deinit`.
    unsafe mutex = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe pthread_mutex_init(mutex, nil)
  }

  deinit {
    // Safe: nobody holds a lock of an object that nobody refers to.
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Runs `body` with the value while no other thread can use it.
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Safe: the mutex lives as long as `self`, and is unlocked by the thread that locked it.
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}

/// A value that one thread at a time can use, and whose changes threads can wait for
/// (`pthread_cond_wait`).
@safe
package final class Monitor<Value: Sendable>: @unchecked Sendable {
  // Neither can move while it is used, so both have allocations of their own.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var value: Value

  /// Creates a monitor around `value`.
  package init(_ value: Value) {
    self.value = value
    // Safe: the memory is allocated here and holds mutex and condition until `deinit`.
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
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

  /// Runs `body` with the value while no other thread can use it, and wakes the waiting threads.
  package func change<Result>(_ body: (inout Value) -> Result) -> Result {
    // Safe: the mutex lives as long as `self`, and is unlocked by the thread that locked it.
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(condition)
      unsafe pthread_mutex_unlock(mutex)
    }
    return body(&value)
  }

  /// Waits until `body` returns a value; it is called after every change.
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
