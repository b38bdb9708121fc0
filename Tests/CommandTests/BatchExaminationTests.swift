import Foundation
import Testing

@Suite("batch looks at many checkpoints and says which have problems")
struct BatchExaminationTests {
  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.copy("olmo1-lionw/step12-unsharded", as: "runs/a/step12-unsharded")
    // Of the second step only the configuration is left, as the trainer leaves one above both.
    for folder in ["runs/a", "runs/a/step24-unsharded"] {
      try workspace.copy("olmo1-lionw/step12-unsharded/config.yaml", as: "\(folder)/config.yaml")
    }
    try workspace.copy("plain/views.pt", as: "files/views.pt")
    try workspace.copy("plain/opt-sgd.pt", as: "files/b/sgd.pt")
    try workspace.copy("broken/malicious-train-pt/train.pt", as: "files/hostile.pt")
    try workspace.write(workspace.bytes("files/b/sgd.pt").prefix(5000), to: "files/cut.pt")
    return workspace
  }

  private static let inputs = "files/b files/views.pt --files -o out"
  private static let converted = "pt-to-safetensors \(inputs)"

  static let cases = [
    BatchCase("check", then: "check runs", exit: 1),
    BatchCase("check-files", then: "check --files files -o out -q", exit: 1),
    BatchCase("check-dry-run", then: "check --files files runs --dry-run", exit: 0),
    BatchCase("check-again", then: "check runs -o out --resume --finite", exit: 1),
    BatchCase("check-missing", then: "check runs none", exit: 74),
    BatchCase("roundtrip", then: "roundtrip files/b/sgd.pt files/views.pt runs/a", exit: 1),
    BatchCase("roundtrip-fault", then: "roundtrip --files -k files", exit: 1),
    BatchCase("roundtrip-plain", then: "roundtrip runs --layout plain -q", exit: 0),
    BatchCase(
      "verify", before: converted, then: "verify \(inputs)", exit: 0,
      outputs: "b/sgd.safetensors", "views.safetensors"),
    BatchCase(
      "verify-missing", before: converted, then: "verify files --files -o out", exit: 74,
      outputs: "b/sgd.safetensors", "views.safetensors"),
    BatchCase(
      "verify-missing-going-on", before: converted, then: "verify files --files -k -o out",
      exit: 74, outputs: "b/sgd.safetensors", "views.safetensors"),
    BatchCase(
      "verify-directories", before: "pt-to-safetensors runs -o out",
      then: "verify runs -o out", exit: 0, outputs: "a/step12-unsharded/model.safetensors",
      "a/step12-unsharded/optim.safetensors", "a/step12-unsharded/train.pt"),
    BatchCase(
      "verify-elsewhere", before: "pt-to-safetensors runs -o out",
      then: "verify runs/a/step12-unsharded -o out", exit: 74,
      outputs: "a/step12-unsharded/model.safetensors", "a/step12-unsharded/optim.safetensors",
      "a/step12-unsharded/train.pt"),
    BatchCase("verify-itself", then: "verify runs -o runs", exit: 65),
    BatchCase("verify-nowhere", then: "verify runs -o nowhere -k", exit: 74),
    BatchCase("config", then: "config runs -o out", exit: 0),
    BatchCase("config-back", before: "config runs -o hf", then: "config hf -o out", exit: 0),
    BatchCase("config-of-files", then: "config runs/a/config.yaml -o out", exit: 0),
  ]

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func runs(_ test: BatchCase) throws { try test.run(in: Self.workspace()) }

  @Test("What was verified is still what the conversion finds finished")
  func keepsJournalsApart() throws {
    let workspace = try Self.workspace()
    for line in ["\(Self.converted)", "verify \(Self.inputs)", "check \(Self.inputs)"] {
      #expect(try workspace.run(["batch", "-q"] + line.words).exitCode == 0)
    }
    let outcome = try workspace.run(["batch"] + Self.converted.words + ["--resume"])
    #expect(outcome.errors.hasSuffix("2 items: 2 done before\n"))
    let again = try workspace.run(["batch"] + "verify \(Self.inputs) --resume".words)
    #expect(again.errors.hasSuffix("2 items: 2 done before\n"))
  }

  @Test("A counterpart that has changed since is compared again")
  func comparesAgain() throws {
    let workspace = try Self.workspace()
    for line in [Self.converted, "verify \(Self.inputs)"] {
      #expect(try workspace.run(["batch", "-q"] + line.words).exitCode == 0)
    }
    try workspace.write(workspace.bytes("out/b/sgd.safetensors"), to: "out/views.safetensors")
    let arguments = ["batch"] + "verify \(Self.inputs) --resume".words
    let outcome = try workspace.run(arguments)
    #expect(outcome.exitCode == 1)
    try Snapshot.expect(
      Snapshot.session(arguments, outcome), matches: "batch-verify-changed.txt")
  }
}
