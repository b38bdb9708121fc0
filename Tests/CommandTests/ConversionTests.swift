import Foundation
import Testing

@Suite("pt-to-safetensors writes all of an output or nothing")
struct ConversionTests {
  /// A run in a directory that holds a checkpoint, files beside it, and files that are broken.
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    var before: [String] = []
    let arguments: [String]
    let exitCode: Int32
    /// The files that are there afterwards and were not before.
    let appears: [String]
    var testDescription: String { snapshot }

    init(
      _ snapshot: String, before: String = "", _ arguments: String, exit exitCode: Int32,
      appears: String...
    ) {
      self.snapshot = "convert-\(snapshot).txt"
      self.before = before.words
      self.arguments = ["pt-to-safetensors"] + arguments.words
      self.exitCode = exitCode
      self.appears = appears
    }
  }

  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "step6-unsharded")
    try workspace.copy("plain/state_dict-tied.pt", as: "model.pt")
    try workspace.copy("plain/opt-sgd.pt", as: "optim.pt")
    try workspace.copy("plain/legacy-nonzip.pt", as: "legacy.pt")
    try workspace.write(workspace.bytes("model.pt").prefix(5000), to: "cut.pt")
    try workspace.copy("olmo1-lionw/step12-unsharded/model.pt", as: "hostile/model.pt")
    try workspace.copy("olmo1-lionw/step12-unsharded/config.yaml", as: "hostile/config.yaml")
    try workspace.copy("broken/malicious-train-pt/train.pt", as: "hostile/train.pt")
    try workspace.copy("olmo2-fsdp/step6-unsharded/config.yaml", as: "bare/config.yaml")
    return workspace
  }

  static let cases = [
    Case("file", "model.pt", exit: 0, appears: "model.safetensors"),
    Case("file-json", "--json model.pt", exit: 0, appears: "model.safetensors"),
    Case("file-quiet", "-q model.pt", exit: 0, appears: "model.safetensors"),
    Case("file-to-name", "model.pt -o other.bin", exit: 0, appears: "other.bin"),
    Case("file-to-directory", "model.pt -o bare", exit: 0, appears: "bare/model.safetensors"),
    Case(
      "file-to-new-directory", "model.pt -o new/", exit: 0, appears: "new/", "new/model.safetensors"
    ),
    Case("names-without-optimizer", "model.pt --optimizer-names fsdp", exit: 65),
    Case("manifest-in-place-of-output", "model.pt -o new --manifest ./new", exit: 65),
    Case("manifest-in-place-of-input", "model.pt --force --manifest model.pt", exit: 65),
    Case("file-into-missing-directory", "model.pt -o missing/model.safetensors", exit: 74),
    Case(
      "directory", "step6-unsharded", exit: 0,
      appears: "step6-unsharded/model.safetensors", "step6-unsharded/optim.safetensors"),
    Case(
      "directory-to-directory", "step6-unsharded -o a/b", exit: 0,
      appears: "a/", "a/b/", "a/b/config.yaml", "a/b/model.safetensors", "a/b/optim.safetensors",
      "a/b/train.pt"),
    Case(
      "directory-train", "--train step6-unsharded -o out", exit: 0,
      appears: "out/", "out/config.yaml", "out/model.safetensors", "out/optim.safetensors",
      "out/train.safetensors"),
    Case(
      "directory-plain", "--layout plain step6-unsharded", exit: 0,
      appears: "step6-unsharded/model.safetensors", "step6-unsharded/optim.safetensors"),
    Case("directory-to-output", "step6-unsharded -o -", exit: 65),
    Case("directory-without-checkpoint", "bare", exit: 65),
    Case("missing", "missing.pt", exit: 74),
    Case(
      "missing-among-others", "model.pt missing.pt", exit: 74, appears: "model.safetensors"),
    Case("existing", before: "model.pt", "model.pt", exit: 74),
    Case("existing-replaced", before: "model.pt", "--force model.pt", exit: 0),
    Case(
      "existing-of-directory", before: "step6-unsharded/optim.pt", "step6-unsharded", exit: 74),
    Case("cut", "cut.pt", exit: 65),
    Case("cut-into-new-directory", "cut.pt -o a/b/", exit: 65),
    Case("legacy", "legacy.pt", exit: 0, appears: "legacy.safetensors"),
    Case(
      "several", "model.pt cut.pt optim.pt -o out", exit: 65,
      appears: "out/", "out/model.safetensors", "out/optim.safetensors"),
    Case(
      "several-json", "--json model.pt cut.pt optim.pt", exit: 65,
      appears: "model.safetensors", "optim.safetensors"),
    Case("several-of-one-name", "model.pt step6-unsharded/model.pt -o out", exit: 65),
    Case("lossy", "--no-skeleton optim.pt", exit: 65),
    Case(
      "lossy-allowed", "--no-skeleton --allow-loss optim.pt", exit: 0, appears: "optim.safetensors"),
    Case("unsafe", "--train hostile -o out", exit: 65),
    Case(
      "unsafe-dropped", "--train --drop-unsafe hostile -o out", exit: 0,
      appears: "out/", "out/config.yaml", "out/model.safetensors", "out/train.safetensors"),
    Case(
      "unsafe-carried", "hostile", exit: 0, appears: "hostile/model.safetensors"),
  ]

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func converts(_ test: Case) throws {
    let workspace = try Self.workspace()
    for input in test.before {
      #expect(try workspace.run(["pt-to-safetensors", "-q", input]).exitCode == 0)
    }
    let before = try workspace.files()
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == (before + test.appears).sorted())
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }

  @Test("A file that exists stays what it was, and --force gives it the new bytes")
  func replacesFile() throws {
    let workspace = try Self.workspace()
    let old = Data("precious".utf8)
    try workspace.write(old, to: "model.safetensors")
    #expect(try workspace.run(["pt-to-safetensors", "model.pt"]).exitCode == 74)
    #expect(try workspace.bytes("model.safetensors") == old)
    try workspace.write(old, to: "cut.safetensors")
    #expect(try workspace.run(["pt-to-safetensors", "--force", "cut.pt"]).exitCode == 65)
    #expect(try workspace.bytes("cut.safetensors") == old)
    #expect(try workspace.run(["pt-to-safetensors", "--force", "model.pt"]).exitCode == 0)
    #expect(try workspace.run(["pt-to-safetensors", "model.pt", "-o", "new.st"]).exitCode == 0)
    #expect(try workspace.bytes("model.safetensors") == workspace.bytes("new.st"))
  }

  static let variants = [
    ["-o", "-"], ["-o", "-", "--threads", "1"], ["-o", "-", "--threads", "4"],
  ]

  @Test("Standard output gets the bytes of the file", arguments: variants)
  func streams(flags: [String]) throws {
    let workspace = try Self.workspace()
    let input = "step6-unsharded/optim.pt"
    #expect(try workspace.run(["pt-to-safetensors", input, "-o", "file"]).exitCode == 0)
    let streamed = try workspace.runForBytes(["pt-to-safetensors", input] + flags)
    #expect(streamed.exitCode == 0)
    #expect(try streamed.output == workspace.bytes("file"))
  }

  @Test("One thread and four write the same bytes", arguments: ["1", "4"])
  func threads(count: String) throws {
    let workspace = try Self.workspace()
    let input = "step6-unsharded/optim.pt"
    #expect(try workspace.run(["pt-to-safetensors", input, "-o", "any"]).exitCode == 0)
    let arguments = ["pt-to-safetensors", input, "-o", "some", "--threads", count]
    #expect(try workspace.run(arguments).exitCode == 0)
    #expect(try workspace.bytes("some") == workspace.bytes("any"))
  }

  @Test("What is carried along keeps its bytes")
  func carries() throws {
    let workspace = try Self.workspace()
    #expect(try workspace.run(["pt-to-safetensors", "step6-unsharded", "-o", "out"]).exitCode == 0)
    for name in ["config.yaml", "train.pt"] {
      #expect(try workspace.bytes("out/\(name)") == workspace.bytes("step6-unsharded/\(name)"))
    }
  }
}
