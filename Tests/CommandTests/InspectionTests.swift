import Foundation
import Testing

@Suite("inspect lists what files hold")
struct InspectionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    /// The fixture and the name it is given.
    let fixtures: [(path: String, name: String)]
    let arguments: [String]
    let exitCode: Int32
    var testDescription: String { snapshot }

    init(
      _ snapshot: String, _ fixtures: (path: String, name: String)..., arguments: String...,
      exit exitCode: Int32 = 0
    ) {
      self.snapshot = "inspect-\(snapshot).txt"
      self.fixtures = fixtures
      self.arguments = ["inspect"] + arguments
      self.exitCode = exitCode
    }
  }

  static let cases = [
    Case("tied", ("plain/state_dict-tied.pt", "model.pt"), arguments: "model.pt"),
    Case("views", ("plain/views.pt", "views.pt"), arguments: "views.pt"),
    Case("objects", ("plain/objects.pt", "objects.pt"), arguments: "objects.pt"),
    Case("whole-module", ("plain/whole-module.pt", "m.pt"), arguments: "--limit", "3", "m.pt"),
    Case(
      "trainer", ("olmo2-fsdp/step6-unsharded/train.pt", "train.pt"), arguments: "train.pt"),
    Case(
      "directory", ("olmo2-fsdp/step6-unsharded", "step6"), arguments: "--sort", "size", "--limit",
      "2", "step6"),
    Case(
      "bare-directory", ("olmo2-fsdp/step6-unsharded/config.yaml", "a/config.yaml"), arguments: "a",
      exit: 65),
    Case(
      "several", ("plain/dtypes.pt", "a.pt"), ("olmo2-fsdp/step6-unsharded/config.yaml", "b.pt"),
      ("plain/lr-schedulers.pt", "c.pt"), arguments: "a.pt", "b.pt", "c.pt", exit: 65),
    Case(
      "several-json", ("plain/layouts.pt", "a.pt"), ("plain/lr-schedulers.pt", "c.pt"),
      arguments: "--json", "a.pt", "c.pt"),
    Case("legacy", ("plain/legacy-nonzip.pt", "old.pt"), arguments: "old.pt"),
    Case(
      "unsafe", ("broken/malicious-train-pt/train.pt", "train.pt"), arguments: "train.pt",
      exit: 65),
    Case(
      "unsafe-dropped", ("broken/malicious-train-pt/train.pt", "train.pt"),
      arguments: "--drop-unsafe", "train.pt"),
  ]

  @Test("Listings are as recorded", arguments: cases)
  func lists(_ test: Case) throws {
    let workspace = try Workspace()
    for fixture in test.fixtures { try workspace.copy(fixture.path, as: fixture.name) }
    let before = try workspace.files()
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == before)
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }

  @Test("A converted trainer state is listed like its source, in the order of its tensors")
  func listsConverted() throws {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded/train.pt", as: "train.pt")
    let flags = ["pt-to-safetensors", "--layout", "olmo", "train.pt"]
    #expect(try workspace.run(flags).exitCode == 0)
    func rows(_ file: String) throws -> [Substring] {
      try workspace.run(["inspect", file]).output.split(separator: "\n").dropFirst().sorted()
    }
    #expect(try rows("train.safetensors") == rows("train.pt"))
    #expect(try rows("train.pt").count > 12)
  }
}
