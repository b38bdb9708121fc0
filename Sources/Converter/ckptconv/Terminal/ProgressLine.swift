internal import Synchronization

/// The last line of a terminal, where a run shows how far it has come.
///
/// Any thread may report; the line is redrawn ten times a second at most.
final class ProgressLine: Sendable {
  /// What empties the line and leaves the cursor at its start.
  static let eraser: StaticString = "\r\u{1B}[K"

  private struct State {
    var start: Duration?
    var lastDrawing: Duration?
    var isVisible = false
  }

  private static let pause = Duration.milliseconds(100)

  private let stream: Stream
  private let state = Mutex(State())

  /// A line on the terminal behind `stream`; nothing is drawn yet.
  init(on stream: Stream) {
    self.stream = stream
  }

  /// Shows that `done` of `total` bytes have been moved.
  func update(done: Int, total: Int, at now: Duration = TerminalSyscalls.time()) {
    update(at: now) { ProgressBar(done: done, total: total, elapsed: $0) }
  }

  /// Shows the bar for the time that has passed since the first call.
  func update(at now: Duration = TerminalSyscalls.time(), _ bar: (Duration) -> ProgressBar) {
    state.withLock { state in
      if state.start == nil { TerminalSyscalls.eraseLineWhenInterrupted() }
      let start = state.start ?? now
      state.start = start
      if let last = state.lastDrawing, now - last < Self.pause { return }
      // The last column stays empty: some terminals begin a new line when it is filled.
      let line = bar(now - start).line(width: (stream.columns ?? 80) - 1)
      // A progress line that cannot be written is no reason to stop the run.
      try? stream.write("\(Self.eraser)\(line)")
      state.lastDrawing = now
      state.isVisible = true
    }
  }

  /// Empties the line; the next update draws it again.
  func erase() {
    state.withLock { state in
      guard state.isVisible else { return }
      try? stream.write("\(Self.eraser)")
      state.isVisible = false
    }
  }

  /// Empties the line and forgets how long the run took.
  func finish() {
    erase()
    state.withLock { $0 = State() }
  }
}
