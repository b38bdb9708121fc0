/// Writes completions for zsh.
enum ZshCompletion {
  /// A file for a directory of `$fpath`.
  static var script: String {
    """
    #compdef \(FlagTable.program)
    # zsh completions, written by '\(FlagTable.program) --generate zsh'

    _\(FlagTable.program)() {
        local context state state_descr line
        typeset -A opt_args
        local -a shared=(
    \(SharedOptions.flags.flatMap { specifications($0.flag) }.indented(by: 8))
        )
        local -a commands=(
    \(FlagTable.pages.map { "\($0.name):\($0.summary)".shellQuoted }.indented(by: 8))
        )
        _arguments -C "$shared[@]" \\
    \(ProgramOptions.flags.flatMap { specifications($0.flag) }.map { "\($0) \\" }.indented(by: 8))
            '1:command:->command' \\
            '*::argument:->argument'
        case $state in
            command)
                _describe command commands
                ;;
            argument)
                case $line[1] in
    \(FlagTable.pages.flatMap(commandCase).indented(by: 16))
                esac
                ;;
        esac
    }

    if [[ $funcstack[1] == _\(FlagTable.program) ]]; then
        _\(FlagTable.program) "$@"
    else
        compdef _\(FlagTable.program) \(FlagTable.program)
    fi

    """
  }

  private static func commandCase(_ page: CommandPage) -> [String] {
    let repetition = page.operands.maximum == 1 ? "1" : "*"
    let action = page.operands.arePaths ? "_files" : "(\(Help.pageNames.joined(separator: " ")))"
    var operands = "\(repetition):\(page.operands.usage):\(action)".shellQuoted
    if !page.words.isEmpty {
      operands = "1:VERB:(\(page.words.joined(separator: " ")))".shellQuoted + " \(operands)"
    }
    return ["\(page.name))", "    _arguments \"$shared[@]\" \\"]
      + page.completedFlags.flatMap(specifications).map { "        \($0) \\" }
      + ["        \(operands)", "    ;;"]
  }

  /// `_arguments` wants one specification for each spelling, each excluding the others.
  private static func specifications(_ flag: Flag) -> [String] {
    let exclusion = "(\(flag.spellings.joined(separator: " ")))"
    let summary = flag.summary.escaping { "[]:\\".contains($0) ? "\\\($0)" : nil }
    return flag.spellings.map { spelling in
      let joint = flag.valueName == nil ? "" : spelling.hasPrefix("--") ? "=" : "+"
      return "\(exclusion)\(spelling)\(joint)[\(summary)]\(action(flag))".shellQuoted
    }
  }

  /// What completes the value; zsh evaluates choices as words of a command line.
  private static func action(_ flag: Flag) -> String {
    switch flag.argument {
    case .none: return ""
    case .path(let name): return ":\(name):_files"
    case .text(let name): return ":\(name): "
    case .choice(let name, let choices):
      let words = choices.map { choice in
        let meaning = choice.meaning.escaping { $0.isLetter || $0.isNumber ? nil : "\\\($0)" }
        return "\(choice.name)\\:\(meaning)"
      }
      return ":\(name):((\(words.joined(separator: " "))))"
    }
  }
}
