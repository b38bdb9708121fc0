import Foundation
import Testing

@Suite("scan lists what pickles would have run")
struct ScanTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    let arguments: [String]
    let exitCode: Int32
    var testDescription: String { snapshot }

    init(_ snapshot: String, _ arguments: String..., exit exitCode: Int32) {
      self.snapshot = "scan-\(snapshot).txt"
      self.arguments = ["scan"] + arguments
      self.exitCode = exitCode
    }
  }

  static let cases = [
    Case("known", "good.pt", exit: 0),
    Case("opaque", "module.pt", exit: 0),
    Case("legacy", "legacy.pt", exit: 0),
    Case("dangerous", "evil.pt", exit: 1),
    Case("dangerous-json", "--json", "evil.pt", exit: 1),
    Case("dangerous-quiet", "-q", "evil.pt", exit: 1),
    Case("cut", "cut.pt", exit: 65),
    Case("dangerous-among-broken", "cut.pt", "missing.pt", "evil.pt", exit: 1),
    Case("missing-among-broken", "cut.pt", "missing.pt", exit: 74),
    Case("other-kind", "config.yaml", exit: 65),
    Case("directory", ".", exit: 1),
    Case("directory-of-directories", "below", exit: 1),
    Case("empty-directory", "below/empty", exit: 65),
  ]

  @Test("Findings and exit codes are as recorded", arguments: cases)
  func scans(_ test: Case) throws {
    let workspace = try Workspace()
    try workspace.copy("plain/opt-sgd.pt", as: "good.pt")
    try workspace.copy("plain/whole-module.pt", as: "module.pt")
    try workspace.copy("plain/legacy-nonzip.pt", as: "legacy.pt")
    try workspace.copy("broken/malicious-train-pt/train.pt", as: "evil.pt")
    try workspace.copy("broken/malicious-train-pt/train.pt", as: "below/olmo/train.pt")
    try workspace.make("below/empty/")
    try workspace.copy("olmo2-fsdp/step6-unsharded/config.yaml", as: "config.yaml")
    try workspace.write(workspace.bytes("good.pt").prefix(2000), to: "cut.pt")
    let before = try workspace.files()
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == before)
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }
}
