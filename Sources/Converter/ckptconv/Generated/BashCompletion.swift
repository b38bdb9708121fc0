/// Writes completions for bash.
enum BashCompletion {
  /// A script to be sourced.
  static var script: String {
    """
    # bash completions for \(FlagTable.program), written by '\(FlagTable.program) --generate bash'

    _\(FlagTable.program)() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        local command='' word
        # Readline breaks words at '=', so that '--color=al' arrives as three.
        if [[ $current == = ]]; then
            current=''
        elif [[ $previous == = ]]; then
            previous=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
            case $word in
                \(FlagTable.pages.map(\.name).joined(separator: " | "))) command=$word; break ;;
            esac
        done

        local words=''
        COMPREPLY=()
        case $command:$previous in
    \(valueCases.indented(by: 8))
            *)
                local flags='' operands=''
                case $command in
    \(commandCases.indented(by: 16))
                esac
                words=$operands
                [[ $current == -* ]] && words=$flags
                ;;
        esac
        if [[ $words == PATH ]]; then
            compopt -o default
        else
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        fi
    }

    complete -F _\(FlagTable.program) \(FlagTable.program)

    """
  }

  /// One pattern for each flag with a value: what can follow it.
  private static var valueCases: [String] {
    let own = FlagTable.pages.flatMap { page in page.completedFlags.map { (page.name, $0) } }
    let program = ProgramOptions.flags.map { ("", $0.flag) }
    let shared = SharedOptions.flags.map { ("*", $0.flag) }
    return (program + own + shared).compactMap { command, flag in
      let words: String
      switch flag.argument {
      case .none: return nil
      case .path: words = "PATH"
      case .text: words = ""
      case .choice(_, let choices): words = choices.map(\.name).joined(separator: " ")
      }
      let patterns = flag.spellings.map { "\(command):\($0)" }.joined(separator: " | ")
      return "\(patterns)) words=\(words.shellQuoted) ;;"
    }
  }

  /// One pattern for each command: its flags and its operands.
  private static var commandCases: [String] {
    let program = commandCase(
      "''", FlagTable.programFlags.map(\.flag), operands: FlagTable.pages.map(\.name))
    let commands = FlagTable.pages.flatMap { page in
      commandCase(
        page.name, page.completedFlags + SharedOptions.flags.map(\.flag),
        operands: page.operands.arePaths ? ["PATH"] : Help.pageNames, words: page.words)
    }
    return program + commands
  }

  private static func commandCase(
    _ pattern: String, _ flags: [Flag], operands: [String], words: [String] = []
  ) -> [String] {
    let flags = flags.flatMap(\.spellings).joined(separator: " ").shellQuoted
    let operands = operands.joined(separator: " ").shellQuoted
    guard !words.isEmpty else {
      return ["\(pattern)) flags=\(flags) operands=\(operands) ;;"]
    }
    // Until one of the words is there, it is what comes next.
    let known = words.map { "*' \($0) '*" }.joined(separator: " | ")
    return [
      "\(pattern))",
      "    flags=\(flags)",
      "    operands=\(words.joined(separator: " ").shellQuoted)",
      "    case \" ${COMP_WORDS[*]:0:COMP_CWORD} \" in",
      "        \(known)) operands=\(operands) ;;",
      "    esac",
      "    ;;",
    ]
  }
}
