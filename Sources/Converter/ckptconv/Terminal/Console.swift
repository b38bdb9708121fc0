internal import CkptBase
internal import Synchronization

/// The output of a command: results go to standard output, messages to standard error.
final class Console: Sendable {
  /// The line with the progress of a run; `nil` if nobody would see it.
  let progress: ProgressLine?
  private let output: Stream
  private let errors: Stream
  private let isQuiet: Bool
  private let format: MessageFormat
  private let lostReader = Atomic(false)

  /// Creates a console for the standard streams of the process.
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

  /// The width of the terminal at standard output in columns; `nil` for no terminal.
  var columns: Int? { output.columns }

  /// Whether the reader of the results is gone, as `head` is after ten lines.
  var hasLostReader: Bool { lostReader.load(ordering: .relaxed) }

  /// Prints a result, unless its reader is gone.
  ///
  /// A lost reader is not an error: the exit code still tells the result.
  ///
  /// - Throws: `inputOutput` if the standard output fails.
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

  /// Returns a word of a result in the color of its role, if colors are used.
  func paint(_ text: String, _ role: Style.Role) -> String { output.style.paint(text, role) }

  /// Prints a result as JSON on a line of its own.
  ///
  /// - Throws: `inputOutput` if the standard output fails.
  func printJSON(_ text: String) throws(CheckpointError) {
    try print("\(text)\n")
  }

  /// Prints what was done, unless only warnings and errors are wanted.
  func note(_ text: String) {
    if !isQuiet { say(Message(.note, text)) }
  }

  /// Prints a notice with its remedy in the same way.
  func note(_ notice: Notice) { note(notice.sentence(\.words)) }

  /// Prints a warning.
  func warn(_ text: String) { say(Message(.warning, text)) }

  /// Prints a warning with its remedy.
  func warn(_ notice: Notice) { warn(notice.sentence(\.words)) }

  /// Prints the error that ended the run or one input, and ends the progress line.
  func report(_ error: CheckpointError) {
    progress?.finish()
    say(Message(error))
  }

  /// Prints an error in one part of a run, with its remedy.
  func report(_ message: String, remedy: Remedy?) {
    say(Message(.error, message, remedy))
  }

  /// Prints a table about a whole run, unless only warnings and errors are wanted.
  func summarize(_ table: Table) {
    if !isQuiet, format == .text { say(table.text(width: errors.columns)) }
  }

  /// Prints an error in the command line, or the commands if none was given.
  func report(_ error: UsageError) {
    if error == .noCommand, format == .text {
      say(HelpSummary.program)
    } else {
      say(Message(error))
    }
  }

  private func say(_ message: Message) {
    switch format {
    case .text: say(message.lines(errors.style))
    case .json: say(message.json + "\n")
    }
  }

  private func say(_ text: String) {
    progress?.erase()
    // If the standard error is closed, there is nobody to tell.
    try? errors.write(text)
  }
}

/// The standard output or standard error, and the abilities of its terminal.
struct Stream: Sendable {
  let descriptor: Int32
  /// The name of the stream in errors.
  let name: String
  let isTerminal: Bool
  let style: Style

  /// Examines the file behind `descriptor`.
  init(_ descriptor: Int32, name: String, color: ColorChoice) {
    self.descriptor = descriptor
    self.name = name
    isTerminal = TerminalSyscalls.isTerminal(descriptor)
    style = Style(
      isOn: color.isOn(isTerminal: isTerminal, environment: Syscalls.environment))
  }

  /// The current width of its terminal in columns; `nil` for no terminal.
  var columns: Int? { isTerminal ? TerminalSyscalls.columns(of: descriptor) ?? 80 : nil }

  /// Writes all of `text`.
  func write(_ text: String) throws(CheckpointError) {
    try TerminalSyscalls.write(text, to: descriptor, name: name)
  }
}

/// A rule for the use of colors in messages.
enum ColorChoice: String, FlagChoice {
  case auto, always, never

  var meaning: String {
    switch self {
    case .auto: "on a terminal, unless NO_COLOR is set or TERM is dumb"
    case .always: "everywhere"
    case .never: "nowhere"
    }
  }

  /// Whether to use colors on a stream.
  func isOn(isTerminal: Bool, environment: (String) -> String?) -> Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto:
      isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    }
  }
}

/// Colors words, or returns them unchanged.
struct Style: Sendable {
  /// The role of a word; each has one color.
  enum Role: Int, Sendable {
    case error = 31
    case warning = 33
    case hint = 36
    /// A good result.
    case success = 32
    /// The beginning of a part of a result, in the usual color.
    case heading = 39
  }

  let isOn: Bool

  /// Returns `text` in bold and in the color of `role`.
  func paint(_ text: String, _ role: Role) -> String {
    isOn ? "\u{1B}[1;\(role.rawValue)m\(text)\u{1B}[0m" : text
  }
}
