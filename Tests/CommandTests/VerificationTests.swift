import Foundation
import Testing

@Suite("verify and roundtrip say what is the same and what differs")
struct VerificationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    let arguments: [String]
    let exitCode: Int32
    /// The files that are there afterwards and were not before.
    let appears: [String]
    var testDescription: String { snapshot }

    init(
      _ snapshot: String, of command: String = "verify", _ arguments: String, exit exitCode: Int32,
      appears: String...
    ) {
      self.snapshot = "\(command)-\(snapshot).txt"
      self.arguments = [command] + arguments.split(separator: " ").map(String.init)
      self.exitCode = exitCode
      self.appears = appears
    }
  }

  static let cases = [
    Case("same", "step6 out", exit: 0),
    Case("same-file", "step6/optim.pt out/optim.safetensors", exit: 0),
    Case("same-by-name", "model.pt plain.safetensors", exit: 0),
    Case("file-and-directory", "out/model.safetensors step6", exit: 0),
    Case("file-of-other-name", "model.pt small", exit: 65),
    Case("different", "step6 other", exit: 1),
    Case("different-json", "--json step6/train.pt other/train.pt", exit: 1),
    Case("different-quiet", "-q step6 other", exit: 1),
    Case("missing", "step6 missing", exit: 74),
    Case("cut", "cut.pt step6/model.pt", exit: 65),
    Case("one", "step6", exit: 64),
    Case("manifest", "--manifest new.json step6", exit: 0, appears: "new.json"),
    Case("manifest-existing", "--manifest made.json step6", exit: 74),
    Case("manifest-of-itself", "--manifest step6/model.pt --force step6", exit: 65),
    Case("force-alone", "--force step6 out", exit: 64),
    Case("against", "--against made.json out", exit: 0),
    Case("against-file", "--against made.json out/optim.safetensors", exit: 0),
    Case("against-different", "--against made.json other", exit: 1),
    Case("directory", of: "roundtrip", "step6", exit: 0),
    Case("back", of: "roundtrip", "out", exit: 0),
    Case("lost", of: "roundtrip", "views.pt", exit: 1),
    Case("several-json", of: "roundtrip", "--json model.pt cut.pt --layout olmo", exit: 65),
    Case("missing", of: "roundtrip", "missing.pt", exit: 74),
    Case("against-nothing", "--against step6/config.yaml out", exit: 65),
  ]

  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "step6")
    try workspace.copy("olmo1-lionw-fsdp/step6-unsharded", as: "other")
    try workspace.copy("plain/state_dict-tied.pt", as: "model.pt")
    try workspace.copy("plain/views.pt", as: "views.pt")
    try workspace.copy("plain/opt-sgd.pt", as: "small/optim.pt")
    try workspace.copy("plain/opt-sgd.pt", as: "small/train.pt")
    try workspace.write(workspace.bytes("model.pt").prefix(5000), to: "cut.pt")
    for arguments in [
      ["pt-to-safetensors", "step6", "-o", "out"],
      ["pt-to-safetensors", "--no-skeleton", "model.pt", "-o", "plain.safetensors"],
      ["verify", "--manifest", "made.json", "step6"],
    ] {
      #expect(try workspace.run(arguments).exitCode == 0)
    }
    return workspace
  }

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func verifies(_ test: Case) throws {
    let workspace = try Self.workspace()
    let before = try workspace.files()
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == (before + test.appears).sorted())
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }
}
