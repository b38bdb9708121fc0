/// Writes completions for fish.
enum FishCompletion {
  /// A script to be sourced.
  static var script: String {
    let commands = FlagTable.pages.map { page in
      line(whileIn: nil, "-f -a \(page.name) -d \(quoted(page.summary))")
    }
    let program = ProgramOptions.flags.map { line(whileIn: nil, arguments($0.flag)) }
    let shared = SharedOptions.flags.map {
      "complete -c \(FlagTable.program) \(arguments($0.flag))"
    }
    let own = FlagTable.pages.flatMap { page -> [String] in
      let words = page.operands.arePaths ? page.words : Help.pageNames
      return page.ownFlags.map { line(whileIn: page, arguments($0)) }
        + (words.isEmpty
          ? [] : [line(whileIn: page, "-f -a \(quoted(words.joined(separator: " ")))")])
    }
    let title = "# fish completions, written by '\(FlagTable.program) --generate fish'"
    return ([title, ""] + commands + program + shared + own).joined(separator: "\n") + "\n"
  }

  /// A completion that holds after a command, or where there is none yet.
  private static func line(whileIn page: CommandPage?, _ arguments: String) -> String {
    let condition = page.map { "__fish_seen_subcommand_from \($0.name)" } ?? "__fish_use_subcommand"
    return "complete -c \(FlagTable.program) -n \(quoted(condition)) \(arguments)"
  }

  private static func arguments(_ flag: Flag) -> String {
    let short = flag.short.map { " -s \($0)" } ?? ""
    return "-l \(flag.long)\(short)\(value(flag)) -d \(quoted(flag.summary))"
  }

  private static func value(_ flag: Flag) -> String {
    switch flag.argument {
    case .none: return ""
    case .path: return " -r -F"
    case .text: return " -x"
    case .choice(_, let choices):
      let words = choices.map { "\($0.name)\\t\(quoted($0.meaning))" }
      return " -x -a \(quoted(words.joined(separator: " ")))"
    }
  }

  private static func quoted(_ text: String) -> String {
    "'\(text.escaping { "'\\".contains($0) ? "\\\($0)" : nil })'"
  }
}
