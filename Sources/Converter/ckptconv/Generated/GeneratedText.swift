/// A text that the program can write about itself.
enum GeneratedText: String, FlagChoice {
  case man, bash, zsh, fish

  var meaning: String {
    switch self {
    case .man: "the manual page, for man(1)"
    case .bash: "completions for bash"
    case .zsh: "completions for zsh"
    case .fish: "completions for fish"
    }
  }

  /// The text itself, with a line feed at its end.
  var content: String {
    switch self {
    case .man: ManPage.render(Manual.everything, version: Version.current)
    case .bash: BashCompletion.script
    case .zsh: ZshCompletion.script
    case .fish: FishCompletion.script
    }
  }
}
