internal import Bytes

/// What the program's exit status says, for scripts.
enum ExitCode: Int32, CaseIterable, Sendable {
  case done = 0
  case difference = 1
  case usage = 64
  case badInput = 65
  case inputOutput = 74

  /// The status for an error that ends a command.
  init(_ error: FormatError) {
    self = error.code == .inputOutput ? .inputOutput : .badInput
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
}
