internal import CkptBase
internal import CkptBatch

/// The exit code of the program, for scripts.
///
/// Each input of a run has its own code. ``merge(_:)`` is the only rule that combines them into the
/// code of the run.
enum ExitCode: Int32, CaseIterable, Sendable {
  case done = 0
  case difference = 1
  case usage = 64
  case badInput = 65
  case inputOutput = 74

  /// The codes by priority, the highest first.
  ///
  /// A difference or a danger that was found is certain, even if other inputs could not be read: an
  /// unreadable file must not hide a dangerous one. A wrong command line is refused before any
  /// work, so it never meets another code.
  static let bySeverity: [ExitCode] = [.usage, .difference, .inputOutput, .badInput, .done]

  /// Returns the code of an error that stops a command, or the work on one input.
  init(_ error: CheckpointError) {
    self = error.code == .inputOutput ? .inputOutput : .badInput
  }

  /// Returns the code of a failure in a journal.
  init(_ failure: JournalRecord.Failure) {
    self = failure.isOfTheSystem ? .inputOutput : .badInput
  }

  /// Returns the code of a run that compares or checks, from its findings and the inputs it could
  /// not read.
  init(found: Bool, failures: some Sequence<CheckpointError>) {
    self = found ? .difference : .done
    for failure in failures { merge(ExitCode(failure)) }
  }

  /// Combines the code with that of another input; the higher priority wins.
  mutating func merge(_ other: ExitCode) {
    self = Self.bySeverity.first { $0 == self || $0 == other } ?? self
  }

  /// The meaning of the code, for the manual.
  var meaning: String {
    switch self {
    case .done: "The command succeeded."
    case .difference:
      "The command found a difference, a problem or a danger."
    case .usage: "The command line is wrong: an unknown command or flag, or an invalid value."
    case .badInput:
      "An input is malformed, unsafe or not supported, or the output cannot hold its contents."
    case .inputOutput:
      "An input or output error: a file is missing or exists already, no space, no permission."
    }
  }

  private static var merged: String {
    bySeverity.filter { $0 != .usage }.map { "`\($0.rawValue)`" }.joined(separator: ", ")
  }

  /// The rule for several inputs, as paragraphs for the manual.
  static let rule = """
    Each input has its own result. The exit code is the first of \(merged) among them, because a
    finding is certain even if another input could not be read. A wrong command line is refused
    before any work.

    A signal ends the program, as usual. Shells report 128 plus the number of the signal: 130 for
    Control-C.
    """
}
