internal import CkptBase
internal import Synchronization

/// The progress of a run on the last line of a terminal.
///
/// Any thread can report progress. The line is redrawn at most ten times a second.
final class ProgressLine: Sendable {
  /// The characters that clear the line and leave the cursor at its start.
  static let eraser: StaticString = "\r\u{1B}[K"

  private struct State {
    var start: Duration?
    var lastDrawing: Duration?
    var isVisible = false
    /// The width of the drawn line.
    var width = 0
  }

  private static let pause = Duration.milliseconds(100)

  private let stream: Stream
  private let state = Mutex(State())

  /// Creates a line on the terminal behind `stream` and draws nothing yet.
  init(on stream: Stream) {
    self.stream = stream
  }

  /// Shows that `done` of `total` bytes were processed, of the input `path` if given.
  func update(
    done: Int, total: Int, of path: String? = nil, at now: Duration = TerminalSyscalls.time()
  ) {
    update(at: now) { elapsed in
      let name = path.map { FilePath($0).name.harmless }
      return ProgressBar(done: done, total: total, elapsed: elapsed, running: name)
    }
  }

  /// Shows a bar for the time since the first call.
  func update(at now: Duration = TerminalSyscalls.time(), _ bar: (Duration) -> ProgressBar) {
    state.withLock { state in
      if state.start == nil { TerminalSyscalls.eraseLineWhenInterrupted() }
      let start = state.start ?? now
      state.start = start
      if let last = state.lastDrawing, now - last < Self.pause { return }
      // The last column stays empty: some terminals start a new line when it is filled.
      let columns = stream.columns ?? 80
      let line = bar(now - start).line(width: columns - 1)
      // A failure to write the progress line must not stop the run.
      try? stream.write("\(Self.erasing(state.width, columns: columns))\(line)")
      state.lastDrawing = now
      state.isVisible = true
      state.width = line.width
    }
  }

  /// Clears the line; the next update draws it again.
  func erase() {
    state.withLock { state in
      guard state.isVisible else { return }
      try? stream.write(Self.erasing(state.width, columns: stream.columns ?? 80))
      state.isVisible = false
      state.width = 0
    }
  }

  /// Returns the characters that clear a line of `width` columns.
  ///
  /// When a window becomes narrower, terminals wrap the line, and its beginning is some rows above.
  static func erasing(_ width: Int, columns: Int) -> String {
    let rows = columns > 0 ? max(0, width - 1) / columns : 0
    return rows > 0 ? "\u{1B}[\(rows)A\r\u{1B}[J" : "\(eraser)"
  }

  /// Clears the line and resets the time.
  func finish() {
    erase()
    state.withLock { $0 = State() }
  }
}

/// The progress of a run as one line of text.
struct ProgressBar: Hashable, Sendable {
  /// The number of bytes processed.
  var done: Int
  /// The number of bytes to process.
  var total: Int
  /// The time since the start.
  var elapsed: Duration
  /// The number of finished items and of all items, if there are several.
  var items: String?
  /// The running item, if there are several.
  var running: String?

  private static let bestBarWidth = 30
  private static let leastBarWidth = 10

  /// Returns the line, at most `width` characters long.
  ///
  /// The least important parts are left out first.
  func line(width: Int) -> String {
    let parts = [percentage, items, amount, rate, timeLeft, running].compactMap(\.self)
    for kept in stride(from: parts.count, through: 1, by: -1) {
      let text = parts.prefix(kept).joined(separator: "  ")
      let room = width - text.count - 3
      if room >= Self.leastBarWidth {
        return "[\(bar(width: min(room, Self.bestBarWidth)))] \(text)"
      }
    }
    return percentage.cut(to: width)
  }

  private var fraction: Double {
    total > 0 ? min(1, Double(done) / Double(total)) : 1
  }

  private var percentage: String { "\(Int(fraction * 100))%".rightAligned(to: 4) }

  private var amount: String { "\(ByteCount(bytes: done))/\(ByteCount(bytes: total))" }

  private var seconds: Double { elapsed / .seconds(1) }

  private var bytesPerSecond: Double { seconds > 0 ? Double(done) / seconds : 0 }

  /// The longest time to show; a longer one would only say that nothing moves.
  private static let longestTimeLeft = 100.0 * 60 * 60

  /// The time after which a rate means something.
  private static let settled = 0.5

  private var rate: String? {
    guard seconds >= Self.settled else { return nil }
    // A Double beyond the range of Int would trap; no disk reaches an exabyte a second.
    return "\(ByteCount(bytes: Int(min(bytesPerSecond, 1e18))))/s"
  }

  private var timeLeft: String? {
    guard seconds >= Self.settled else { return nil }
    let left = Double(max(0, total - done)) / bytesPerSecond
    guard done > 0, left < Self.longestTimeLeft else { return "-:-- left" }
    let (minutes, rest) = Int(left).quotientAndRemainder(dividingBy: 60)
    let (hours, minute) = minutes.quotientAndRemainder(dividingBy: 60)
    return hours > 0
      ? "\(hours):\(twoDigits(minute)):\(twoDigits(rest)) left"
      : "\(minute):\(twoDigits(rest)) left"
  }

  private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private func bar(width: Int) -> String {
    let filled = Int(fraction * Double(width))
    let tip = filled < width ? ">" : ""
    return (String(repeating: "=", count: filled) + tip).padded(to: width)
  }
}
