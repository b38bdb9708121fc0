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
