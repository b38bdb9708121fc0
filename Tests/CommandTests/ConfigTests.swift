import Foundation
import Testing

@Suite("config translates config.yaml and config.json into each other")
struct ConfigTests {
  private static let fixture = "olmo2-fsdp/step6-unsharded/config.yaml"

  /// A session of commands in a directory with an OLMo configuration, all of whose outputs are kept.
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    /// Commands that prepare, and the one whose output is recorded.
    let commands: [[String]]
    let exitCode: Int32
    /// The files beside the inputs after the run.
    let files: [String]
    /// Lines of the configuration with what replaces them.
    let changes: [String: String]
    var testDescription: String { snapshot }

    init(
      _ snapshot: String, _ commands: String..., exit exitCode: Int32 = 0, files: [String],
      changing changes: [String: String] = [:]
    ) {
      self.snapshot = "config-\(snapshot).txt"
      self.commands = commands.map { ["config"] + $0.words }
      self.exitCode = exitCode
      self.files = files
      self.changes = changes
    }
  }

  private static let both = ["hf/", "hf/config.json", "hf/generation_config.json"]

  static let cases = [
    Case("to-hf", "config.yaml -o hf", files: both),
    Case(
      "beside-input", "config.yaml -q", files: ["config.json", "generation_config.json"]),
    Case("back", "config.yaml -o hf", "hf -o back", files: ["back/", "back/config.yaml"] + both),
    Case(
      "named", "config.yaml -o model.json -q", "model.json -o back.yml -q",
      files: ["back.yml", "generation_config.json", "model.json"]),
    Case(
      "refused", "config.yaml -o hf", exit: 65, files: [], changing: ["alibi: false": "alibi: true"]
    ),
    Case("missing-directory", "config.yaml -o no/config.json", exit: 74, files: []),
    Case("existing", "config.yaml -o hf", "config.yaml -o hf", exit: 74, files: both),
    Case("existing-replaced", "config.yaml -o hf", "config.yaml -o hf --force -q", files: both),
    Case(
      "ambiguous", "config.yaml -q", ". -o out", exit: 65,
      files: ["config.json", "generation_config.json"]),
    Case(
      "decided", "config.yaml -q", ". --to olmo -o out -q",
      files: ["config.json", "generation_config.json", "out/", "out/config.yaml"]),
    Case("same-side", "config.yaml --to olmo", exit: 65, files: []),
    Case(
      "template", "config.yaml -o hf --no-carry", "hf --config config.yaml -o - -q",
      files: both),
    Case("template-wrong-way", "config.yaml --config config.yaml", exit: 65, files: []),
    Case("template-conflict", "config.yaml --to hf --config config.yaml", exit: 64, files: []),
    Case(
      "end-of-text", "config.yaml -o hf -q", files: both,
      changing: [
        "eos_token_id: 3998": "eos_token_id: 0", "vocab_size: 4000": "vocab_size: 50280",
        "embedding_size: 4096": "embedding_size: 50304",
      ]),
    Case("json", "config.yaml --json -q -o hf", files: both),
  ]

  @Test("Sessions are as recorded", arguments: cases)
  func translates(_ test: Case) throws {
    let workspace = try Workspace()
    try workspace.copy(Self.fixture, as: "config.yaml")
    if !test.changes.isEmpty {
      var text = String(decoding: try workspace.bytes("config.yaml"), as: UTF8.self)
      for (line, replacement) in test.changes {
        #expect(text.contains("  \(line)\n"))
        text = text.replacingOccurrences(of: "  \(line)\n", with: "  \(replacement)\n")
      }
      try workspace.write(Data(text.utf8), to: "config.yaml")
    }
    for command in test.commands.dropLast() {
      #expect(try workspace.run(command).exitCode == 0)
    }
    let last = try #require(test.commands.last)
    let outcome = try workspace.run(last)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == (["config.yaml"] + test.files).sorted())
    try Snapshot.expect(Snapshot.session(last, outcome), matches: test.snapshot)
  }

  @Test("A configuration of the trainer returns byte for byte")
  func returns() throws {
    let workspace = try Workspace()
    try workspace.copy(Self.fixture, as: "config.yaml")
    let (exitCode, json) = try workspace.runForBytes(["config", "config.yaml", "-o", "-"])
    #expect(exitCode == 0)
    try workspace.write(json, to: "any.name")
    let back = try workspace.runForBytes(["config", "any.name", "-o", "-"])
    #expect(back.output == (try workspace.bytes("config.yaml")))
  }
}
