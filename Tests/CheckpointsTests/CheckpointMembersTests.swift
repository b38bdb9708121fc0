import CkptBase
import CkptCheckpoints
import CkptTestSupport
import Testing

@Suite("The files of a checkpoint are found by their names")
struct CheckpointMembersTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let names: [String]
    var states: [String] = []
    var files: [String] = []
    var passedOver: [String] = []
  }

  static let cases = [
    Case(
      testDescription: "a checkpoint of OLMo",
      names: ["config.yaml", "model.pt", "optim.pt", "train.pt", "notes.txt"],
      states: ["model: model.pt", "optim: optim.pt", "train: train.pt"],
      files: ["config.yaml", "notes.txt"]),
    Case(
      testDescription: "the trainer takes safetensors first",
      names: ["model.pt", "model.safetensors"], states: ["model: model.safetensors"],
      passedOver: ["model.pt"]),
    Case(
      testDescription: "a Hugging Face folder", names: ["config.json", "pytorch_model.bin"],
      states: ["model: pytorch_model.bin"], files: ["config.json"]),
    Case(
      testDescription: "shards are one part, by their index",
      names: ["a-1.safetensors", "model.safetensors.index.json"],
      states: ["model: model.safetensors.index.json"]),
  ]

  @Test("A directory has parts, files and what is passed over", arguments: cases)
  func members(_ test: Case) throws {
    let directory = try TemporaryDirectory()
    for name in test.names { try directory.write([0], to: name) }
    let members = try CheckpointMembers(of: directory.path)
    #expect(members.isDirectory)
    #expect(members.states.map { "\($0.name): \(FilePath($0.path).name)" } == test.states)
    #expect(members.files == test.files)
    #expect(members.passedOver == test.passedOver)
    #expect(members.state(named: "model") != nil)
    #expect(members.state(named: "none") == nil)
  }

  @Test(
    "A file is a part that is called by its name up to the first dot",
    arguments: [
      ("model.pt", "model"), ("a.b.c", "a"), ("pytorch_model.bin", "model"), ("weights", "weights"),
    ])
  func file(_ name: String, _ part: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write([0], to: name)
    let members = try CheckpointMembers(of: directory / name)
    #expect(!members.isDirectory)
    #expect(members.states.map(\.name) == [part])
  }

  @Test("Nothing, and a directory without a checkpoint, are errors")
  func refuses() throws {
    let directory = try TemporaryDirectory()
    try directory.write([0], to: "notes.txt")
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointMembers(of: directory.path)
    }
    #expect(error?.code == .unsupported)
    let missing = #expect(throws: CheckpointError.self) {
      _ = try CheckpointMembers(of: directory / "none")
    }
    #expect(missing?.code == .inputOutput)
  }
}
