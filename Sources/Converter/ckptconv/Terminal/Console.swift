internal import CkptBase
internal import Synchronization

/// Where a command speaks: its results to standard output, everything about them to standard error.
final class Console: Sendable {
  /// The line that shows how far a run has come; `nil` where nobody would see it.
  let progress: ProgressLine?
  private let output: Stream
  private let errors: Stream
  private let isQuiet: Bool
  private let format: MessageFormat
  private let lostReader = Atomic(false)

  /// A console over the process's own standard streams.
  init(_ options: SharedOptions) {
    let color = options.color ?? .auto
    output = Stream(1, name: "standard output", color: color)
    errors = Stream(2, name: "standard error", color: color)
    isQuiet = options.quiet
    format = MessageFormat(environment: Syscalls.environment)
    let canRedraw = errors.isTerminal && Syscalls.environment("TERM") != "dumb"
    let isWatched = canRedraw && !isQuiet && format == .text
    progress = isWatched ? ProgressLine(on: errors) : nil
  }

  /// How many columns the standard output's terminal shows; `nil` when it is none.
  var columns: Int? { output.columns }

  /// Whether whoever read the results has had enough, as `head` has after ten lines.
  var hasLostReader: Bool { lostReader.load(ordering: .relaxed) }

  /// Writes a command's result, unless nobody reads it any more: that is no failure, and the exit
  /// status still says what was found.
  ///
  /// - Throws: `inputOutput` when the standard output takes no more.
  func print(_ text: String) throws(CheckpointError) {
    progress?.erase()
    guard !hasLostReader else { return }
    do throws(CheckpointError) {
      try output.write(text)
    } catch {
      guard error.cause?.isBrokenPipe == true else { throw error }
      lostReader.store(true, ordering: .relaxed)
    }
  }

  /// A word of a result in the color of its role, where colors are shown.
  func paint(_ text: String, _ role: Style.Role) -> String { output.style.paint(text, role) }

  /// Writes a command's result as a JSON text, on a line of its own.
  ///
  /// - Throws: `inputOutput` when the standard output takes no more.
  func printJSON(_ text: String) throws(CheckpointError) {
    try print("\(text)\n")
  }

  /// Says what was done, unless only warnings and errors are wanted.
  func note(_ text: String) {
    if !isQuiet { say(Message(.note, text)) }
  }

  /// Says the same of what could be done, and how.
  func note(_ notice: Notice) { note(notice.sentence(\.words)) }

  /// Warns of something that was done, but not as it might be expected.
  func warn(_ text: String) { say(Message(.warning, text)) }

  /// Warns of the same, and says what can be done about it.
  func warn(_ notice: Notice) { warn(notice.sentence(\.words)) }

  /// Says what ended the run, or that of one input; what comes next begins anew.
  func report(_ error: CheckpointError) {
    progress?.finish()
    say(Message(error))
  }

  /// Says what went wrong in one part of a run, and what can be done about it.
  func report(_ message: String, remedy: Remedy?) {
    say(Message(.error, message, remedy))
  }

  /// Says something in lines of its own about a whole run, for people who want more than warnings and
  /// errors.
  func summarize(_ table: Table) {
    if !isQuiet, format == .text { say(table.text(width: errors.columns)) }
  }

  /// Says what is wrong with the command line.
  func report(_ error: UsageError) { say(Message(error)) }

  private func say(_ message: Message) {
    switch format {
    case .text: say(message.lines(errors.style))
    case .json: say(message.json + "\n")
    }
  }

  private func say(_ text: String) {
    progress?.erase()
    // Whoever closed the standard error does not want to hear about it.
    try? errors.write(text)
  }
}

/// The standard output or the standard error, and what the terminal behind it can do.
struct Stream: Sendable {
  let descriptor: Int32
  /// The name that errors call it by.
  let name: String
  let isTerminal: Bool
  let style: Style

  /// Asks the system what is behind `descriptor`.
  init(_ descriptor: Int32, name: String, color: ColorChoice) {
    self.descriptor = descriptor
    self.name = name
    isTerminal = TerminalSyscalls.isTerminal(descriptor)
    style = Style(
      isOn: color.isOn(isTerminal: isTerminal, environment: Syscalls.environment))
  }

  /// How many columns its terminal shows now; `nil` when it is none.
  var columns: Int? { isTerminal ? TerminalSyscalls.columns(of: descriptor) ?? 80 : nil }

  /// Writes all of `text`.
  func write(_ text: String) throws(CheckpointError) {
    try TerminalSyscalls.write(text, to: descriptor, name: name)
  }
}

/// When messages are colored.
enum ColorChoice: String, FlagChoice {
  case auto, always, never

  var meaning: String {
    switch self {
    case .auto: "on a terminal, unless NO_COLOR is set or TERM is dumb"
    case .always: "everywhere"
    case .never: "nowhere"
    }
  }

  /// Whether to color what goes to one stream.
  func isOn(isTerminal: Bool, environment: (String) -> String?) -> Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto:
      isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    }
  }
}

/// Colors words, or leaves them as they are.
struct Style: Sendable {
  /// What a word stands for; each has one color.
  enum Role: Int, Sendable {
    case error = 31
    case warning = 33
    case hint = 36
  }

  let isOn: Bool

  /// `text` in bold and in the color of `role`.
  func paint(_ text: String, _ role: Role) -> String {
    isOn ? "\u{1B}[1;\(role.rawValue)m\(text)\u{1B}[0m" : text
  }
}
