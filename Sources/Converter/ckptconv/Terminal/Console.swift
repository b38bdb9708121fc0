internal import Bytes
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
  func print(_ text: String) throws(FormatError) {
    progress?.erase()
    guard !hasLostReader else { return }
    try FormatError.wrapping { () throws(SystemError) in
      do throws(SystemError) {
        try output.write(text)
      } catch {
        guard error.isBrokenPipe else { throw error }
        lostReader.store(true, ordering: .relaxed)
      }
    }
  }

  /// A word of a result in the color of its role, where colors are shown.
  func paint(_ text: String, _ role: Style.Role) -> String { output.style.paint(text, role) }

  /// Writes a command's result as a JSON text, on a line of its own.
  ///
  /// - Throws: `inputOutput` when the standard output takes no more.
  func printJSON(_ text: String) throws(FormatError) {
    try print("\(text)\n")
  }

  /// Says what was done, unless only warnings and errors are wanted.
  func note(_ text: String) {
    if !isQuiet { say("\(text.harmless)\n") }
  }

  /// Warns of something that was done, but not as it might be expected.
  func warn(_ text: String, hint: String? = nil) {
    say(Report.warning(text, hint: hint, errors.style))
  }

  /// Says what ended the run, or that of one input; what comes next begins anew.
  func report(_ error: FormatError) {
    progress?.finish()
    say(Report.error(error, errors.style))
  }

  /// Says what went wrong in one part of a run, and what can be done about it.
  func report(_ message: String, hint: String?) {
    say(Report.error(message, hint: hint, errors.style))
  }

  /// Says something in lines of its own about a whole run, unless only warnings and errors are wanted.
  func summarise(_ table: Table) {
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
