/// What every command can be told.
struct SharedOptions: Sendable {
  /// How much help was asked for.
  var help: HelpLength?
  var json = false
  var quiet = false
  /// `nil` means ``ColorChoice/auto``.
  var color: ColorChoice?
  /// How many threads copy data; `nil` means one for each processor.
  var threads: Int?
  /// All flags that were given, in the order of their names, as ``ArgumentParser/given`` spells them.
  var given: [String] = []

  static let flags: [BoundFlag<SharedOptions>] = [
    helpFlag,
    .toggle(
      "json", \.json, in: .everywhere, "print the result as JSON on standard output",
      manual: """
        Prints the result on standard output as JSON, one object per line, and nothing else. Messages, \
        warnings and errors stay on standard error.
        """),
    .toggle(
      "quiet", short: "q", \.quiet, in: .everywhere, "say nothing but warnings and errors",
      manual: """
        Neither progress nor what was done or found is shown: the exit code tells. Warnings and \
        errors are shown: what a conversion could not carry over is never kept quiet.
        """),
    .choice(
      "color", "WHEN", \.color, in: .everywhere, "use colors: auto, always or never",
      manual: "When messages are colored. The default is `auto`."),
    .number(
      "threads", "N", \.threads, atLeast: 1, atMost: 256, in: .everywhere,
      "copy with N threads",
      manual: """
        How many threads copy data. The default is one for each processor. The files that are \
        written do not depend on it.
        """),
  ]

  private static let helpFlag = BoundFlag<SharedOptions>(
    flag: Flag(
      long: "help", short: "h", argument: .none, section: .everywhere,
      summary: "-h prints a summary, --help the manual",
      manual: """
        `-h` prints a summary that fits a small terminal, `--help` the manual of the command. \
        `ckptconv help` COMMAND is the same as COMMAND `--help`.
        """)
  ) { options, name in options.help = name == "-h" ? .summary : .manual }
}

/// How much help is asked for.
enum HelpLength: Sendable {
  /// What fits a small terminal.
  case summary
  /// Everything there is to say.
  case manual
}
