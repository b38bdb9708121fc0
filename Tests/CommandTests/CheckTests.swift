import Foundation
import Testing

@Suite("check finds missing, damaged or mismatched files")
struct CheckTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    let arguments: [String]
    let exitCode: Int32
    /// The change to the checkpoint before the check.
    let damage: @Sendable (Workspace) throws -> Void
    var testDescription: String { snapshot }

    init(
      _ snapshot: String, _ arguments: String..., exit exitCode: Int32 = 1,
      damage: @escaping @Sendable (Workspace) throws -> Void = { _ in }
    ) {
      self.snapshot = "check-\(snapshot).txt"
      self.arguments = ["check"] + arguments
      self.exitCode = exitCode
      self.damage = damage
    }
  }

  static let cases = [
    Case("sound", "step6-unsharded", exit: 0),
    Case("finite", "--finite", "--for", "olmo", "step6-unsharded", exit: 0),
    Case("torch", "--for", "torch", "step6-unsharded"),
    Case("torch-quiet", "-q", "--for", "torch", "step6-unsharded"),
    Case("cut", "step6-unsharded") { workspace in
      let model = try workspace.bytes("step6-unsharded/model.pt")
      try workspace.write(model.prefix(1_000_000), to: "step6-unsharded/model.pt")
    },
    Case("width", "step6-unsharded") { workspace in
      let config = String(
        decoding: try workspace.bytes("step6-unsharded/config.yaml"), as: UTF8.self)
      try workspace.write(
        Data(config.replacingOccurrences(of: "d_model: 32", with: "d_model: 64").utf8),
        to: "step6-unsharded/config.yaml")
    },
    Case("json", "--json", "step6-unsharded") { workspace in
      try workspace.write(Data("<html></html>".utf8), to: "step6-unsharded/optim.pt")
    },
    Case("several", "step6-unsharded/model.pt", "nothing", "step6-unsharded", exit: 74),
  ]

  @Test("Findings are as recorded", arguments: cases)
  func finds(_ test: Case) throws {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "step6-unsharded")
    try test.damage(workspace)
    let before = try workspace.files()
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == before)
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }
}
