/// What the program can be told without a command.
struct ProgramOptions: Sendable {
  var shared = SharedOptions()
  var version = false
  var generate: GeneratedText?

  static let flags: [BoundFlag<ProgramOptions>] = [
    .toggle(
      "version", short: "V", \.version, in: .program, "print the version",
      manual: "Prints the version of the program on standard output."),
    .choice(
      "generate", "KIND", \.generate, in: .program, "print the man page or shell completions",
      manual: """
        Prints a text made from the same table that the command line is read with. \
        `make install` puts them in their places.
        """),
  ]
}
