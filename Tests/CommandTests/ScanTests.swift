import Foundation
import Testing

@Suite("scan lists what pickles would have run")
struct ScanTests {
  static let cases = [
    SessionCase("known", of: "scan", "good.pt", exit: 0),
    SessionCase("opaque", of: "scan", "module.pt", exit: 0),
    SessionCase("legacy", of: "scan", "legacy.pt", exit: 0),
    SessionCase("dangerous", of: "scan", "evil.pt", exit: 1),
    SessionCase("dangerous-json", of: "scan", "--json evil.pt", exit: 1),
    SessionCase("dangerous-quiet", of: "scan", "-q evil.pt", exit: 1),
    SessionCase("cut", of: "scan", "cut.pt", exit: 65),
    SessionCase("dangerous-among-broken", of: "scan", "cut.pt missing.pt evil.pt", exit: 1),
    SessionCase("missing-among-broken", of: "scan", "cut.pt missing.pt", exit: 74),
    SessionCase("other-kind", of: "scan", "config.yaml", exit: 0),
    SessionCase("strict", of: "scan", "--strict second.pkl", exit: 1),
    SessionCase("unread", of: "scan", "--fail-on dangerous weights.7z", exit: 65),
    SessionCase("sarif", of: "scan", "--sarif evil.pt good.pt", exit: 1),
    SessionCase("sarif-json", of: "scan", "--sarif --json evil.pt", exit: 64),
    SessionCase("directory", of: "scan", ".", exit: 1),
    SessionCase("directory-of-directories", of: "scan", "below", exit: 1),
    SessionCase("empty-directory", of: "scan", "below/empty", exit: 65),
  ]

  @Test("Findings and exit codes are as recorded", arguments: cases)
  func scans(_ test: SessionCase) throws {
    let workspace = try Workspace()
    try workspace.copy("plain/opt-sgd.pt", as: "good.pt")
    try workspace.copy("plain/whole-module.pt", as: "module.pt")
    try workspace.copy("plain/legacy-nonzip.pt", as: "legacy.pt")
    try workspace.copy("broken/malicious-train-pt/train.pt", as: "evil.pt")
    try workspace.copy("broken/malicious-train-pt/train.pt", as: "below/olmo/train.pt")
    try workspace.make("below/empty/")
    try workspace.copy("olmo2-fsdp/step6-unsharded/config.yaml", as: "config.yaml")
    try workspace.write(Data([0x80, 2, 0x4e, 0x2e, 0x80, 2, 0x4e, 0x2e]), to: "second.pkl")
    try workspace.write(Data([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]), to: "weights.7z")
    try workspace.write(workspace.bytes("good.pt").prefix(2000), to: "cut.pt")
    try test.run(in: workspace)
  }
}
