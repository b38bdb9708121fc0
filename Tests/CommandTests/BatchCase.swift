import Foundation
import Testing

/// A batch in a directory with checkpoints, and what it prints and leaves behind.
struct BatchCase: Sendable, CustomTestStringConvertible {
  let snapshot: String
  /// Command lines that come first, whose outputs do not matter.
  let before: [String]
  let arguments: [String]
  let exitCode: Int32
  /// The weights that are there afterwards, from the root.
  let outputs: [String]
  var testDescription: String { snapshot }

  init(
    _ snapshot: String, before: String..., then arguments: String, exit exitCode: Int32,
    outputs: String...
  ) {
    self.snapshot = "batch-\(snapshot).txt"
    self.before = before
    self.arguments = "batch \(arguments)".words
    self.exitCode = exitCode
    self.outputs = outputs
  }

  func run(in workspace: Workspace) throws {
    for line in before {
      #expect(try workspace.run("batch --quiet \(line)".words).exitCode == 0)
    }
    let outcome = try workspace.run(arguments)
    #expect(outcome.exitCode == exitCode)
    let written = try workspace.files().filter { name in
      name.hasPrefix("out/") && [".safetensors", ".pt"].contains(where: name.hasSuffix)
    }
    #expect(written == outputs.map { "out/\($0)" })
    try Snapshot.expect(Snapshot.session(arguments, outcome), matches: snapshot)
  }
}
