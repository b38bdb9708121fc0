import Testing

@Suite("What the program says of itself")
struct HelpTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    let arguments: [String]
    var testDescription: String { snapshot }

    init(_ snapshot: String, _ arguments: String...) {
      self.snapshot = snapshot
      self.arguments = arguments
    }
  }

  static let pages = [
    Case("summary.txt", "-h"),
    Case("manual.txt", "--help"),
    Case("version.txt", "--version"),
    Case("help.txt", "help"),
    Case("inspect-summary.txt", "inspect", "-h"),
    Case("inspect-manual.txt", "inspect", "--help"),
    Case("scan-summary.txt", "scan", "-h"),
    Case("scan-manual.txt", "scan", "--help"),
    Case("stats-summary.txt", "stats", "-h"),
    Case("stats-manual.txt", "stats", "--help"),
    Case("diff-summary.txt", "diff", "-h"),
    Case("diff-manual.txt", "diff", "--help"),
    Case("pt-to-safetensors-summary.txt", "pt-to-safetensors", "-h"),
    Case("pt-to-safetensors-manual.txt", "pt-to-safetensors", "--help"),
    Case("batch-summary.txt", "batch", "-h"),
    Case("batch-manual.txt", "batch", "--help"),
    Case("batch-verb-summary.txt", "batch", "pt-to-safetensors", "-h"),
    Case("batch-verify-summary.txt", "batch", "verify", "-h"),
    Case("batch-verify-manual.txt", "batch", "verify", "--help"),
    Case("batch-verb-manual.txt", "batch", "pt-to-safetensors", "--help"),
    Case("olmo-to-hf-summary.txt", "olmo-to-hf", "-h"),
    Case("olmo-to-hf-manual.txt", "olmo-to-hf", "--help"),
    Case("hf-to-olmo-summary.txt", "hf-to-olmo", "-h"),
    Case("hf-to-olmo-manual.txt", "hf-to-olmo", "--help"),
    Case("reshard-summary.txt", "reshard", "-h"),
    Case("reshard-manual.txt", "reshard", "--help"),
    Case("topic-safety.txt", "help", "safety"),
    Case("topic-layouts.txt", "help", "layouts"),
    Case("topic-skeleton.txt", "help", "skeleton"),
    Case("topic-exit-codes.txt", "help", "exit-codes"),
    Case("topic-environment.txt", "help", "environment"),
    Case("ckptconv.1", "--generate", "man"),
    Case("ckptconv.bash", "--generate", "bash"),
    Case("ckptconv.zsh", "--generate", "zsh"),
    Case("ckptconv.fish", "--generate", "fish"),
  ]

  @Test("Help, manual and completions are as recorded", arguments: pages)
  func printsPage(_ test: Case) throws {
    let outcome = try Tool.run(test.arguments)
    #expect(outcome.exitCode == 0)
    #expect(outcome.errors == "")
    try Snapshot.expect(outcome.output, matches: test.snapshot)
  }

  @Test(
    "help COMMAND prints what COMMAND --help prints",
    arguments: [["inspect"], ["help"], ["batch", "verify"]])
  func helpIsHelp(words: [String]) throws {
    #expect(try Tool.run(["help"] + words) == Tool.run(words + ["--help"]))
  }

  static let mistakes = [
    Case("error-no-command.txt"),
    Case("error-command.txt", "inspcet", "model.pt"),
    Case("error-flag.txt", "inspect", "--limt=3", "model.pt"),
    Case("error-foreign-flag.txt", "inspect", "--layout", "olmo", "model.pt"),
    Case("error-value.txt", "inspect", "--sort", "siez", "model.pt"),
    Case("error-operands.txt", "inspect"),
    Case("error-batch-verb.txt", "batch", "convert", "a", "-o", "b"),
    Case("error-batch-root.txt", "batch", "pt-to-safetensors", "a"),
    Case("error-batch-inputs.txt", "batch", "pt-to-safetensors", "-o", "b"),
    Case(
      "error-batch-unverified.txt", "batch", "pt-to-safetensors", "a", "-o", "b", "--delete-source"),
    Case(
      "error-batch-unverifiable.txt", "batch", "olmo-to-hf", "a", "-o", "b", "--delete-source"),
    Case("error-batch-manifest.txt", "batch", "pt-to-safetensors", "a", "-o", "b", "--manifest=c"),
    Case("error-batch-against.txt", "batch", "verify", "a", "-o", "b", "--against", "c"),
    Case("error-batch-verify-root.txt", "batch", "verify", "a"),
    Case("error-batch-check-root.txt", "batch", "check", "a", "--resume"),
    Case("error-batch-shard.txt", "batch", "pt-to-safetensors", "a", "-o", "b", "--shard", "9/8"),
    Case("error-batch-flag.txt", "batch", "safetensors-to-pt", "a", "-o", "b", "--layout", "olmo"),
    Case("error-conflict.txt", "pt-to-safetensors", "-o", "-", "--json", "model.pt"),
  ]

  @Test("A wrong command line ends with 64 and says what to write", arguments: mistakes)
  func explainsMistake(_ test: Case) throws {
    let outcome = try Tool.run(test.arguments)
    #expect(outcome.exitCode == 64)
    #expect(outcome.output == "")
    try Snapshot.expect(
      Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }
}
