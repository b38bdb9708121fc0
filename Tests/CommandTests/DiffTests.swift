import Foundation
import Testing

@Suite("diff tells how checkpoints differ")
struct DiffTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    let arguments: [String]
    let exitCode: Int32
    var testDescription: String { snapshot }

    init(_ snapshot: String, _ arguments: String..., exit exitCode: Int32) {
      self.snapshot = "diff-\(snapshot).txt"
      self.arguments = ["diff"] + arguments
      self.exitCode = exitCode
    }
  }

  static let cases = [
    Case("equal", "sgd.pt", "sgd.pt", exit: 0),
    Case("different", "--limit", "3", "sgd.pt", "adagrad.pt", exit: 1),
    Case("within-tolerance", "--limit", "2", "--tolerance", "1e9", "sgd.pt", "adagrad.pt", exit: 1),
    Case("directories", "a", "b", exit: 1),
    Case("different-quiet", "-q", "sgd.pt", "adagrad.pt", exit: 1),
    Case("missing", "sgd.pt", "missing.pt", exit: 74),
    Case("no-number", "--tolerance", "-1", "sgd.pt", "sgd.pt", exit: 64),
    Case("one-operand", "sgd.pt", exit: 64),
  ]

  @Test("Differences and exit codes are as recorded", arguments: cases)
  func compares(_ test: Case) throws {
    let workspace = try Workspace()
    try workspace.copy("plain/opt-sgd.pt", as: "sgd.pt")
    try workspace.copy("plain/opt-adagrad.pt", as: "adagrad.pt")
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "a")
    try workspace.copy("olmo2-fsdp/step6-unsharded/model.pt", as: "b/model.pt")
    let before = try workspace.files()
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == before)
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }
}
