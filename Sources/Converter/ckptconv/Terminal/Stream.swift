internal import Bytes

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
  func write(_ text: String) throws(SystemError) {
    try TerminalSyscalls.write(text, to: descriptor, name: name)
  }
}
