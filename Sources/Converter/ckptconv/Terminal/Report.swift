internal import Bytes

/// Messages about a run, as lines for the standard error.
enum Report {
  /// `ckptconv: error: model.pt: archive/data.pkl: byte 0x1f3: ...`, and the hint below it.
  static func error(_ error: FormatError, _ style: Style) -> String {
    message("error", .error, error.description, hint: error.hint, style)
  }

  /// The same for an error of which only the text is left.
  static func error(_ text: String, hint: String?, _ style: Style) -> String {
    message("error", .error, text, hint: hint, style)
  }

  /// What is wrong with the command line, what to write instead, and how the command is called.
  static func usage(_ error: UsageError, _ style: Style) -> String {
    let page = FlagTable.page(named: error.command)
    let help = [FlagTable.program, error.command, "-h"].compactMap(\.self).joined(separator: " ")
    return message("error", .error, error.message, hint: error.hint ?? "see '\(help)'", style)
      + "  usage: \(page?.usage ?? FlagTable.usage)\n"
  }

  /// Something that was done, but not as it might be expected.
  static func warning(_ text: String, hint: String?, _ style: Style) -> String {
    message("warning", .warning, text, hint: hint, style)
  }

  private static func message(
    _ word: String, _ role: Style.Role, _ text: String, hint: String?, _ style: Style
  ) -> String {
    let line = "\(FlagTable.program): \(style.paint("\(word):", role)) \(text.harmless)\n"
    guard let hint else { return line }
    return line + "  \(style.paint("hint:", .hint)) \(hint.harmless)\n"
  }
}
