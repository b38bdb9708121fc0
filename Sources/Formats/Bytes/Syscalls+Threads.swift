internal import Glibc

/// Threads that live as long as one call.
extension Syscalls {
  /// Runs `body` on up to `count` threads at once, the calling one among them, and returns when all
  /// have ended (`pthread_create`).
  ///
  /// A machine that is short of threads gives fewer, so `body` must be able to do all the work from
  /// any one of them.
  package static func concurrently(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    var threads: [pthread_t] = []
    let task = ThreadTask(body)
    for _ in 1..<max(count, 1) {
      var thread = pthread_t()
      let argument = unsafe Unmanaged.passRetained(task)
      // Safe: the new thread takes over the reference that `argument` holds, exactly once.
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
