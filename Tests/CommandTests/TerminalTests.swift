import Foundation
import Testing

@Suite("Output fits the terminal")
struct TerminalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let columns: UInt16
    let arguments: [String]
    let exitCode: Int32
    var testDescription: String { snapshot }
    var snapshot: String { "terminal-\(name)-\(columns).txt" }

    init(_ name: String, _ columns: UInt16, _ arguments: String, exit exitCode: Int32 = 0) {
      self.name = name
      self.columns = columns
      self.arguments = arguments.words
      self.exitCode = exitCode
    }
  }

  static let cases = [40, 80, 120].flatMap { (columns: UInt16) in
    [
      Case("inspect", columns, "inspect --limit 2 --tensors step6/optim.pt"),
      Case("tree", columns, "inspect --depth 2 step6/model.pt"),
      Case("verify", columns, "verify step6/train.pt other/train.pt", exit: 1),
      Case("diff", columns, "diff step6/train.pt other/train.pt", exit: 1),
      Case("translated", columns, "verify step6 hf", exit: 1),
    ]
  }

  @Test(
    "Listings and differences are as recorded, at three widths", .timeLimit(.minutes(1)),
    arguments: cases)
  func fits(_ test: Case) throws {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "step6")
    try workspace.copy("olmo1-lionw-fsdp/step6-unsharded", as: "other")
    #expect(try workspace.run(["olmo-to-hf", "-q", "step6", "-o", "hf"]).exitCode == 0)
    var weights = try workspace.bytes("hf/model.safetensors")
    weights[weights.count - 1] ^= 1
    try workspace.write(weights, to: "hf/model.safetensors")

    let terminal = try PseudoTerminal(columns: test.columns)
    let exitCode = try Tool.run(
      test.arguments + ["--color", "never"], in: workspace.directory, output: terminal.device,
      errors: .nullDevice)
    #expect(exitCode == test.exitCode)
    let text = try terminal.text().replacingOccurrences(of: "\r\n", with: "\n")
    try Snapshot.expect(text, matches: test.snapshot)
    // Sentences are as long as they are; the terminal wraps them.
    for line in text.split(separator: "\n")
    where ![":", ";", " are ", " differ"].contains(where: line.contains) {
      #expect(line.count <= test.columns, "\(line)")
    }
  }
}
