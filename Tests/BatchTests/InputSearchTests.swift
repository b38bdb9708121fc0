import CkptBase
import CkptTestSupport
import Testing

@testable import CkptBatch

@Suite("Inputs are found by path, by pattern and in directory trees")
struct InputSearchTests {
  /// Runs of two models, one save that was interrupted, outputs of a batch, and a hidden directory.
  private static func tree() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for folder in [
      "runs/a/step2", "runs/a/step10", "runs/a/step11-tmp", "runs/b/step1", "runs/out/step1",
      "runs/.old/step1", "runs/empty",
    ] {
      _ = try Syscalls.makeDirectories(directory / folder)
      if folder != "runs/empty" { try directory.write([0x50], to: "\(folder)/model.pt") }
    }
    // What is left of checkpoints, and the configuration that trainers leave above them.
    for folder in ["runs/a", "lost", "lost/run/step1", "lost/step2", "lost/run"] {
      _ = try Syscalls.makeDirectories(directory / folder)
      try directory.write([0x61], to: "\(folder)/config.yaml")
    }
    try directory.write([1], to: "runs/single.pt")
    try directory.write(Array("PK\u{3}\u{4}".utf8), to: "runs/b/weights")
    try directory.write([1], to: "runs/notes.txt")
    return directory
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let argument: String
    var files = false
    let found: [String]
    let base: String
    var testDescription: String { "\(argument)\(files ? " with files" : "")" }
  }

  static let cases = [
    Case(
      argument: "runs", found: ["runs/a/step2", "runs/a/step10", "runs/b/step1"], base: "runs"),
    Case(argument: "runs/a/step2", found: ["runs/a/step2"], base: "runs/a"),
    Case(argument: "runs/notes.txt", found: ["runs/notes.txt"], base: "runs"),
    Case(
      argument: "runs", files: true,
      found: ["runs/a/step2", "runs/a/step10", "runs/b/step1", "runs/b/weights", "runs/single.pt"],
      base: "runs"),
    Case(
      argument: "runs/*/step1*",
      found: ["runs/a/step10", "runs/a/step11-tmp", "runs/b/step1", "runs/out/step1"], base: "runs"),
    Case(argument: "runs/**/step1", found: ["runs/b/step1", "runs/out/step1"], base: "runs"),
    Case(
      argument: "runs/[ab]", found: ["runs/a/step2", "runs/a/step10", "runs/b/step1"], base: "runs"),
    Case(argument: "lost", found: ["lost/run/step1", "lost/step2"], base: "lost"),
    Case(argument: "lost/run/step1", found: ["lost/run/step1"], base: "lost/run"),
    Case(argument: "runs/*.pt", found: ["runs/single.pt"], base: "runs"),
  ]

  @Test("An argument stands for what it should", arguments: cases)
  func finds(_ test: Case) throws {
    let directory = try Self.tree()
    let search = InputSearch(
      for: FakeVerb(), includingFiles: test.files, root: directory / "runs/out")
    let found = try search.inputs(for: directory / test.argument)
    #expect(found.map(\.path) == test.found.map { directory / $0 })
    #expect(Set(found.map(\.base)) == [directory / test.base])
  }

  @Test("What stands for nothing is an error", arguments: ["missing", "runs/empty", "runs/*.bin"])
  func findsNothing(argument: String) throws {
    let directory = try Self.tree()
    let search = InputSearch(for: FakeVerb(), includingFiles: false, root: nil)
    #expect(throws: CheckpointError.self) { try search.inputs(for: directory / argument) }
  }
}
