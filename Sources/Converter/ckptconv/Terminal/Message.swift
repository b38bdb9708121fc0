internal import CkptBase
internal import CkptJSON

/// A message about a run, for the standard error: lines for people, or one object for programs.
struct Message: Sendable {
  /// The importance of a message.
  enum Level: String, Sendable {
    /// Something was not done.
    case error
    /// Something was done, but not as it might be expected.
    case warning
    /// Something was done as it was asked for.
    case note
  }

  let level: Level
  /// The sentence, with the place in front of it.
  let text: String
  /// The name of the kind of fault: that of an error's code, or `usage`.
  private(set) var code: String?
  /// The place of the fault: file, archive entry, tensor.
  private(set) var path: [String] = []
  /// The byte in the innermost place.
  private(set) var offset: Int?
  /// The advice.
  private(set) var hint: String?
  /// The form of the command, where the command line was wrong.
  private(set) var usage: String?

  /// A message that is only a sentence, with some advice where there is any.
  init(_ level: Level, _ text: String, _ remedy: Remedy? = nil) {
    self.level = level
    self.text = text
    hint = remedy?.words
  }

  /// Tells what ended a run, or the work on one input.
  init(_ error: CheckpointError) {
    self.init(.error, error.description, error.remedy)
    code = error.code.description
    path = error.path
    offset = error.offset
  }

  /// Tells what is wrong with the command line, and how the command is called.
  init(_ error: UsageError) {
    self.init(.error, error.message)
    code = "usage"
    let help = [FlagTable.program, error.command, "-h"].compactMap(\.self).joined(separator: " ")
    hint = error.hint ?? "see '\(help)'"
    usage = FlagTable.page(named: error.command)?.usage ?? FlagTable.usage
  }

  /// The message as lines for people; a note is the sentence alone.
  func lines(_ style: Style) -> String {
    guard let role = level.role else { return "\(text.harmless)\n" }
    var lines =
      "\(FlagTable.program): \(style.paint("\(level.rawValue):", role)) \(text.harmless)\n"
    if let hint { lines += "  \(style.paint("hint:", .hint)) \(hint.harmless)\n" }
    if let usage { lines += "  usage: \(usage)\n" }
    return lines
  }

  /// The message as one JSON object; `Documentation/json.md` describes its members.
  var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("level", level.rawValue)
    json.member("code", code)
    json.member("message", text)
    json.member("path", path)
    if let offset {
      json.member("offset", offset)
    } else {
      json.key("offset")
      json.null()
    }
    json.member("hint", hint)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

extension Message.Level {
  /// The color of its word; a note has no word.
  fileprivate var role: Style.Role? {
    switch self {
    case .error: .error
    case .warning: .warning
    case .note: nil
    }
  }
}

/// The form of messages on the standard error: an environment variable and not a flag, for it is the
/// program that runs this one which wants it for all commands.
enum MessageFormat: Sendable {
  /// Lines for people.
  case text
  /// One object on each line.
  case json

  /// The form that `CKPTCONV_MESSAGES` asks for.
  init(environment: (String) -> String?) {
    self = environment("CKPTCONV_MESSAGES") == "json" ? .json : .text
  }
}
