internal import CkptBase
internal import Synchronization

/// Where a command speaks: its results to standard output, everything about them to standard error.
final class Console: Sendable {
  /// The line that shows how far a run has come; `nil` where nobody would see it.
  let progress: ProgressLine?
  private let output: Stream
  private let errors: Stream
  private let isQuiet: Bool
  private let lostReader = Atomic(false)

  /// A console over the process's own standard streams.
  init(_ options: SharedOptions) {
    let color = options.color ?? .auto
    output = Stream(1, name: "standard output", color: color)
    errors = Stream(2, name: "standard error", color: color)
    isQuiet = options.quiet
    let canRedraw = errors.isTerminal && Syscalls.environment("TERM") != "dumb"
    progress = canRedraw && !isQuiet ? ProgressLine(on: errors) : nil
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
    if !isQuiet { say("\(text.harmless)\n") }
  }

  /// Says the same of what could be done, and how.
  func note(_ notice: Notice) { note(notice.sentence(\.words)) }

  /// Warns of something that was done, but not as it might be expected.
  func warn(_ text: String) { say(Report.warning(text, errors.style)) }

  /// Warns of the same, and says what can be done about it.
  func warn(_ notice: Notice) { warn(notice.sentence(\.words)) }

  /// Says what ended the run, or that of one input; what comes next begins anew.
  func report(_ error: CheckpointError) {
    progress?.finish()
    say(Report.error(error, errors.style))
  }

  /// Says what went wrong in one part of a run, and what can be done about it.
  func report(_ message: String, remedy: Remedy?) {
    say(Report.error(message, remedy, errors.style))
  }

  /// Says something in lines of its own about a whole run, unless only warnings and errors are wanted.
  func summarize(_ table: Table) {
    if !isQuiet { say(table.text(width: errors.columns)) }
  }

  /// Says what is wrong with the command line.
  func report(_ error: UsageError) { say(Report.usage(error, errors.style)) }

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

/// Messages about a run, as lines for the standard error.
enum Report {
  /// `ckptconv: error: model.pt: archive/data.pkl: byte 0x1f3: ...`, and the hint below it.
  static func error(_ error: CheckpointError, _ style: Style) -> String {
    Report.error(error.description, error.remedy, style)
  }

  /// The same for an error of which only the text is left.
  static func error(_ text: String, _ remedy: Remedy?, _ style: Style) -> String {
    message("error", .error, text, hint: remedy?.words, style)
  }

  /// What is wrong with the command line, what to write instead, and how the command is called.
  static func usage(_ error: UsageError, _ style: Style) -> String {
    let page = FlagTable.page(named: error.command)
    let help = [FlagTable.program, error.command, "-h"].compactMap(\.self).joined(separator: " ")
    return message("error", .error, error.message, hint: error.hint ?? "see '\(help)'", style)
      + "  usage: \(page?.usage ?? FlagTable.usage)\n"
  }

  /// Something that was done, but not as it might be expected.
  static func warning(_ text: String, _ style: Style) -> String {
    message("warning", .warning, text, hint: nil, style)
  }

  private static func message(
    _ word: String, _ role: Style.Role, _ text: String, hint: String?, _ style: Style
  ) -> String {
    let line = "\(FlagTable.program): \(style.paint("\(word):", role)) \(text.harmless)\n"
    guard let hint else { return line }
    return line + "  \(style.paint("hint:", .hint)) \(hint.harmless)\n"
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
