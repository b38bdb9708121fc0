import Foundation
import Testing

@Suite("olmo-to-hf and hf-to-olmo write a whole directory or nothing")
struct FolderTests {
  /// A run, after others that prepare it, in a directory with two checkpoints of OLMo's trainer.
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    /// Runs that must succeed before.
    var before: [String] = []
    /// Files that are written before.
    var files: [String] = []
    let arguments: String
    let exitCode: Int32
    /// The files that are there afterwards and were not before.
    var appears: [String] = []
    var testDescription: String { snapshot }
  }

  static let folder = [
    "hf/", "hf/config.json", "hf/generation_config.json", "hf/model.safetensors", "hf/olmo/",
    "hf/olmo/model.skeleton.json",
  ]

  static let cases = [
    Case(
      snapshot: "export", arguments: "olmo-to-hf olmo2 -o hf", exitCode: 0, appears: folder),
    Case(
      snapshot: "export-no-carry", arguments: "olmo-to-hf olmo2 -o hf --no-carry", exitCode: 0,
      appears: folder.filter { !$0.contains("olmo") }),
    Case(
      snapshot: "export-optimizer", arguments: "olmo-to-hf olmo1 -o hf --optimizer", exitCode: 0,
      appears: folder + [
        "hf/olmo/optim.skeleton.json", "hf/olmo/train.pt", "hf/optimizer.safetensors",
      ]),
    Case(
      snapshot: "export-shards", arguments: "olmo-to-hf olmo2 -o hf --max-shard-size 600KB",
      exitCode: 0,
      appears: [
        "hf/", "hf/config.json", "hf/generation_config.json",
        "hf/model-00001-of-00002.safetensors", "hf/model-00002-of-00002.safetensors",
        "hf/model.safetensors.index.json", "hf/olmo/", "hf/olmo/model.skeleton.json",
      ]),
    Case(
      snapshot: "export-json", arguments: "olmo-to-hf olmo2 -o hf --no-carry -q --json",
      exitCode: 0, appears: folder.filter { !$0.contains("olmo") }),
    Case(
      snapshot: "export-into-existing", files: ["hf/README.md"],
      arguments: "olmo-to-hf olmo2 -o hf", exitCode: 74),
    Case(
      snapshot: "export-over-existing", files: ["hf/README.md", "hf/config.json"],
      arguments: "olmo-to-hf olmo2 -o hf --force", exitCode: 0,
      appears: folder.filter { $0 != "hf/" && $0 != "hf/config.json" }),
    Case(
      snapshot: "export-beside-stale-weights", files: ["hf/model-00001-of-00009.safetensors"],
      arguments: "olmo-to-hf olmo2 -o hf --force", exitCode: 65),
    Case(
      snapshot: "export-beside-stale-trainer", files: ["hf/olmo/train.pt"],
      arguments: "olmo-to-hf olmo2 -o hf --force", exitCode: 65),
    Case(
      snapshot: "export-trainer-of-safetensors",
      before: ["pt-to-safetensors olmo1 -o there --train"],
      arguments: "olmo-to-hf there -o hf --optimizer", exitCode: 0,
      appears: folder + [
        "hf/olmo/optim.skeleton.json", "hf/olmo/train.pt", "hf/optimizer.safetensors",
      ]),
    Case(
      snapshot: "export-of-file", arguments: "olmo-to-hf olmo2/model.pt -o hf", exitCode: 65),
    Case(snapshot: "export-of-nothing", arguments: "olmo-to-hf missing -o hf", exitCode: 74),
    Case(snapshot: "export-damaged", arguments: "olmo-to-hf damaged -o a/hf", exitCode: 65),
    Case(
      snapshot: "export-of-other-model", arguments: "olmo-to-hf mixed -o a/hf", exitCode: 65),
    Case(snapshot: "export-without-output", arguments: "olmo-to-hf olmo2", exitCode: 64),
    Case(
      snapshot: "export-bad-size", arguments: "olmo-to-hf olmo2 -o hf --max-shard-size 5XB",
      exitCode: 64),
    Case(
      snapshot: "export-without-optimizer",
      arguments: "olmo-to-hf model-only -o hf --optimizer", exitCode: 65),
    Case(
      snapshot: "import", before: ["olmo-to-hf olmo1 -o hf --optimizer"],
      arguments: "hf-to-olmo hf -o back-unsharded", exitCode: 0,
      appears: [
        "back-unsharded/", "back-unsharded/config.yaml", "back-unsharded/model.pt",
        "back-unsharded/optim.pt", "back-unsharded/train.pt",
      ]),
    Case(
      snapshot: "import-model", before: ["olmo-to-hf olmo2 -o hf --no-carry"],
      arguments: "hf-to-olmo hf -o olmo", exitCode: 0,
      appears: [
        "olmo/", "olmo/config.yaml", "olmo/huggingface/", "olmo/huggingface/config.json",
        "olmo/huggingface/generation_config.json", "olmo/model.pt", "olmo/train.pt",
      ]),
    Case(
      snapshot: "import-cast", before: ["olmo-to-hf olmo2 -o hf"],
      arguments: "hf-to-olmo hf -o x-unsharded --dtype bf16 --as safetensors -q", exitCode: 0,
      appears: [
        "x-unsharded/", "x-unsharded/config.yaml", "x-unsharded/model.safetensors",
        "x-unsharded/train.pt",
      ]),
    Case(
      snapshot: "import-of-olmo", arguments: "hf-to-olmo olmo2 -o x-unsharded", exitCode: 65),
    Case(
      snapshot: "import-names-without-optimizer", before: ["olmo-to-hf olmo2 -o hf"],
      arguments: "hf-to-olmo hf -o x-unsharded --optimizer-names fsdp", exitCode: 65),
  ]

  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "olmo2")
    try workspace.copy("olmo1-lionw/step12-unsharded", as: "olmo1")
    for (folder, model) in [("mixed", "olmo1-lionw/step12"), ("model-only", "olmo2-fsdp/step6")] {
      try workspace.copy("\(model)-unsharded/model.pt", as: "\(folder)/model.pt")
      try workspace.copy("olmo2-fsdp/step6-unsharded/config.yaml", as: "\(folder)/config.yaml")
    }
    try workspace.copy("olmo2-fsdp/step6-unsharded/config.yaml", as: "damaged/config.yaml")
    var bytes = try workspace.bytes("olmo2/model.pt")
    bytes[600_000] ^= 1
    try workspace.write(bytes, to: "damaged/model.pt")
    return workspace
  }

  @Test("Outputs appear together, and errors leave nothing behind", arguments: cases)
  func converts(_ test: Case) throws {
    let workspace = try Self.workspace()
    for command in test.before {
      #expect(try workspace.run(command.words).exitCode == 0)
    }
    for file in test.files { try workspace.make(file) }
    let before = try workspace.files()
    let arguments = test.arguments.words
    let outcome = try workspace.run(arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files().filter { !before.contains($0) } == test.appears.sorted())
    try Snapshot.expect(
      Snapshot.session(arguments, outcome), matches: "folder-\(test.snapshot).txt")
  }

  @Test("A checkpoint that goes to Hugging Face and back is the same files")
  func returns() throws {
    let workspace = try Self.workspace()
    for source in ["olmo1", "olmo2"] {
      let there = ["olmo-to-hf", source, "-o", "\(source)-hf", "--optimizer"]
      #expect(try workspace.run(there).exitCode == 0)
      let back = ["hf-to-olmo", "\(source)-hf", "-o", "\(source)-back-unsharded"]
      #expect(try workspace.run(back).exitCode == 0)
      for file in ["model.pt", "optim.pt", "train.pt", "config.yaml"] {
        let same =
          try workspace.bytes("\(source)/\(file)")
          == workspace.bytes("\(source)-back-unsharded/\(file)")
        #expect(same, "\(source)/\(file)")
      }
    }
  }

  @Test("An empty directory is taken for the new one")
  func fillsEmptyDirectory() throws {
    let workspace = try Self.workspace()
    try workspace.make("hf/")
    #expect(try workspace.run(["olmo-to-hf", "olmo2", "-o", "hf/", "-q"]).exitCode == 0)
    #expect(try workspace.files().contains("hf/model.safetensors"))
  }
}
