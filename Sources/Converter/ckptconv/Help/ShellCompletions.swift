/// Writes completions for bash.
enum BashCompletion {
  /// The script, to be sourced.
  static var script: String {
    """
    # bash completions for \(FlagTable.program), written by '\(FlagTable.program) --generate bash'

    _\(FlagTable.program)() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        local command='' word
        # Readline splits words at '=': '--color=al' arrives as three words.
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

  /// One case pattern for each flag with a value, with the words that can follow.
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

  /// One case pattern for each command, with its flags and operands.
  private static var commandCases: [String] {
    let program = commandCase(
      "''", FlagTable.programFlags.map(\.flag), operands: FlagTable.pages.map(\.name))
    let commands = FlagTable.pages.flatMap { page in
      commandCase(
        page.name, page.flags, operands: page.operands.arePaths ? ["PATH"] : HelpCommand.pageNames,
        subpages: page.subpages)
    }
    return program + commands
  }

  private static func commandCase(
    _ pattern: String, _ flags: [Flag], operands: [String], subpages: [CommandPage] = []
  ) -> [String] {
    let flags = flags.flatMap(\.spellings).joined(separator: " ").shellQuoted
    let operands = operands.joined(separator: " ").shellQuoted
    guard !subpages.isEmpty else {
      return ["\(pattern)) flags=\(flags) operands=\(operands) ;;"]
    }
    let words = subpages.map { $0.name.split(separator: " ").last.map(String.init) ?? $0.name }
    // Until a subcommand is present, its name comes next.
    let cases = zip(words, subpages).map { word, page in
      let flags = page.flags.flatMap(\.spellings).joined(separator: " ").shellQuoted
      return "        *' \(word) '*) flags=\(flags) operands=\(operands) ;;"
    }
    return [
      "\(pattern))",
      "    flags=\(flags)",
      "    operands=\(words.joined(separator: " ").shellQuoted)",
      "    case \" ${COMP_WORDS[*]:0:COMP_CWORD} \" in",
    ] + cases + ["    esac", "    ;;"]
  }
}

/// Writes completions for zsh.
enum ZshCompletion {
  /// The script, a file for a directory of `$fpath`.
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
    let action =
      page.operands.arePaths ? "_files" : "(\(HelpCommand.pageNames.joined(separator: " ")))"
    let operands = "\(repetition):\(page.operands.usage):\(action)".shellQuoted
    guard !page.words.isEmpty else {
      return ["\(page.name))"] + arguments(page.ownFlags, operands) + ["    ;;"]
    }
    let verb = "1:VERB:(\(page.words.joined(separator: " ")))".shellQuoted
    let verbs = zip(page.words, page.subpages).flatMap { word, subpage in
      ["        \(word))"]
        + arguments(subpage.ownFlags + subpage.parentFlags, "\(verb) \(operands)").map {
          "        \($0)"
        }
        + ["            ;;"]
    }
    return ["\(page.name))", "    case $words[2] in"] + verbs + ["        *)"]
      + arguments(page.ownFlags, "\(verb) \(operands)").map { "        \($0)" }
      + ["            ;;", "    esac", "    ;;"]
  }

  /// Returns the call that completes flags and operands.
  private static func arguments(_ flags: [Flag], _ operands: String) -> [String] {
    ["    _arguments \"$shared[@]\" \\"]
      + flags.flatMap(specifications).map { "        \($0) \\" } + ["        \(operands)"]
  }

  /// Returns the specifications of a flag.
  ///
  /// `_arguments` needs one for each spelling; each excludes the others.
  private static func specifications(_ flag: Flag) -> [String] {
    let exclusion = "(\(flag.spellings.joined(separator: " ")))"
    let summary = flag.summary.escaping { "[]:\\".contains($0) ? "\\\($0)" : nil }
    return flag.spellings.map { spelling in
      let joint = flag.valueName == nil ? "" : spelling.hasPrefix("--") ? "=" : "+"
      return "\(exclusion)\(spelling)\(joint)[\(summary)]\(action(flag))".shellQuoted
    }
  }

  /// Returns the completion of the value.
  ///
  /// zsh evaluates choices as words of a command line.
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

/// Writes completions for fish.
enum FishCompletion {
  /// The script, to be sourced.
  static var script: String {
    let commands = FlagTable.pages.map { page in
      line(whileIn: nil, "-f -a \(page.name) -d \(quoted(page.summary))")
    }
    let program = ProgramOptions.flags.map { line(whileIn: nil, arguments($0.flag)) }
    let shared = SharedOptions.flags.map {
      "complete -c \(FlagTable.program) \(arguments($0.flag))"
    }
    let own = FlagTable.pages.flatMap { page -> [String] in
      let words = page.operands.arePaths ? page.words : HelpCommand.pageNames
      return page.ownFlags.map { line(whileIn: page, arguments($0)) }
        + (words.isEmpty
          ? [] : [line(whileIn: page, "-f -a \(quoted(words.joined(separator: " ")))")])
    }
    let title = "# fish completions, written by '\(FlagTable.program) --generate fish'"
    return ([title, ""] + commands + program + shared + own).joined(separator: "\n") + "\n"
  }

  /// Returns a completion after a command, or before any command.
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

/// Text of shell scripts.
extension String {
  /// The text as one word of bash or zsh.
  var shellQuoted: String { "'\(escaping { $0 == "'" ? "'\\''" : nil })'" }

  /// Returns the text with each character replaced for which `replacement` returns a string.
  func escaping(_ replacement: (Character) -> String?) -> String {
    reduce(into: "") { text, character in text += replacement(character) ?? String(character) }
  }
}

extension [String] {
  /// Returns the lines as the body of a block, without a line feed at the end.
  func indented(by count: Int) -> String {
    map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
  }
}

extension Flag {
  /// The flag's names as they are typed, the letter first.
  var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + ["--\(long)"] }
}
