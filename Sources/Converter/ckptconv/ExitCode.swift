internal import CkptBase
internal import CkptBatch

/// The exit status of the program, for scripts.
///
/// A run has one result for each of its inputs, and each result has a code. ``merge(_:)`` is the one
/// rule by which they become the status of the run.
enum ExitCode: Int32, CaseIterable, Sendable {
  case done = 0
  case difference = 1
  case usage = 64
  case badInput = 65
  case inputOutput = 74

  /// The codes in the order in which they win over each other.
  ///
  /// A difference or a danger that was found is certain, whatever could not be looked at: a file that
  /// nobody can read must not hide a dangerous one. A wrong command line is refused before anything
  /// is done, so it never meets another code.
  static let bySeverity: [ExitCode] = [.usage, .difference, .inputOutput, .badInput, .done]

  /// The code of an error that ends a command, or the work on one input.
  init(_ error: CheckpointError) {
    self = error.code == .inputOutput ? .inputOutput : .badInput
  }

  /// The code of a failure that a journal tells of.
  init(_ failure: JournalRecord.Failure) {
    self = failure.isOfTheSystem ? .inputOutput : .badInput
  }

  /// The code of a run that compares or examines: whether it found something, and what it could not
  /// look at.
  init(found: Bool, failures: some Sequence<CheckpointError>) {
    self = found ? .difference : .done
    for failure in failures { merge(ExitCode(failure)) }
  }

  /// Takes in the code of another input: the more severe of both stays.
  mutating func merge(_ other: ExitCode) {
    self = Self.bySeverity.first { $0 == self || $0 == other } ?? self
  }

  /// The sentence that the manual prints beside the number.
  var meaning: String {
    switch self {
    case .done: "The command did what it was asked to do."
    case .difference:
      "A command that compares, checks or scans has found a difference, a problem or a danger."
    case .usage: "The command line is wrong: an unknown command or flag, or a value it cannot have."
    case .badInput:
      "An input is malformed, unsafe, not of a supported kind, or holds what the output cannot."
    case .inputOutput:
      "The system refused: a file is missing or exists already, no space, no permission."
    }
  }

  private static var merged: String {
    bySeverity.filter { $0 != .usage }.map { "`\($0.rawValue)`" }.joined(separator: ", ")
  }

  /// The paragraphs that the manual prints below the numbers.
  static let rule = """
    Each input has a result of its own, and the exit status is the first of \(merged) that any of
    them calls for: what was found is certain, whatever could not be looked at. A wrong command line
    is refused before anything is done.

    A signal, such as that of Control-C, ends the program as it ends any other; shells show 128 and
    the signal's number, so 130 for Control-C.
    """
}
