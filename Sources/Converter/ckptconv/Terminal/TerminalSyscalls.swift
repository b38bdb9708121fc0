internal import CkptBase
internal import Glibc
internal import Synchronization

/// System calls for the terminal and the process.
enum TerminalSyscalls {
  /// Whether a descriptor is a terminal (`isatty`).
  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Returns the width of a terminal in columns, or `nil` if it is unknown (`ioctl`).
  static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    // Safe: the request fills one `winsize`, which lives until the call returns.
    let result = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
    return result == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  /// Returns the time since a fixed moment; changes of the clock do not affect it
  /// (`clock_gettime`).
  ///
  /// `ContinuousClock` would do the same, but links Swift's concurrency runtime, which adds a
  /// megabyte.
  static func time() -> Duration {
    var time = timespec()
    // Safe: the call fills one `timespec`, which lives until it returns.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// Writes all of `text` to a descriptor, which errors call `name`.
  static func write(_ text: String, to descriptor: Int32, name: String) throws(CheckpointError) {
    var text = text
    text.makeContiguousUTF8()
    // Safe: the bytes of a string's UTF-8 are initialized and live until the call returns.
    try unsafe Syscalls.append(descriptor, text.utf8Span.span.bytes, path: name)
  }

  /// Makes writes to a closed pipe, and beyond a file size limit, fail instead of ending the
  /// process (`signal`).
  static func letWritesFail() {
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
  }

  private static let stopsGracefully = Atomic(false)

  /// Lets the first signal that would end the process only request it (``Interruption``).
  ///
  /// The second signal ends the process.
  ///
  /// An ignored signal, as under `nohup`, stays ignored.
  static func stopGracefullyWhenInterrupted() {
    // It is created here, because a signal handler must not be the first to use it.
    _ = Interruption.cancellation
    stopsGracefully.store(true, ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      handle(number) { number in
        Interruption.request(signal: number)
        signal(number, SIG_DFL)
      }
    }
  }

  /// Ends the process by a signal (`raise`).
  static func end(bySignal number: Int32) {
    signal(number, SIG_DFL)
    raise(number)
  }

  /// Clears the progress line before an interruption ends the process.
  ///
  /// An ignored signal, as under `nohup`, stays ignored.
  static func eraseLineWhenInterrupted() {
    guard !stopsGracefully.load(ordering: .relaxed) else { return }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      handle(number) { number in
        let eraser = ProgressLine.eraser
        // Safe: a static string's bytes live as long as the process. `write`, `signal` and `raise`
        // are functions that POSIX allows in handlers.
        _ = unsafe Glibc.write(STDERR_FILENO, eraser.utf8Start, eraser.utf8CodeUnitCount)
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  /// Installs a handler for a signal, unless the signal is ignored.
  private static func handle(_ number: Int32, _ handler: @convention(c) (Int32) -> Void) {
    let previous = signal(number, handler)
    // Safe: handlers have the size of an address; the two are compared and never called.
    let wasIgnored =
      unsafe unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    if wasIgnored { signal(number, SIG_IGN) }
  }

  /// Ends the process (`exit`).
  static func exit(_ code: ExitCode) -> Never { Glibc.exit(code.rawValue) }
}

/// The signal that asked the program to stop: Control-C, a job queue, a shutdown.
///
/// Signals go to the process and not to a part of it, so there is one for the process.
enum Interruption {
  /// The cancellation that all work of the program observes.
  static let cancellation = Cancellation()
  private static let number = Atomic<Int32>(0)

  /// The number of the signal; `nil` before a signal.
  static var signal: Int32? {
    let number = number.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Cancels the work; a signal handler can call this.
  static func request(signal: Int32) {
    number.store(signal, ordering: .relaxed)
    cancellation.cancel()
  }
}
