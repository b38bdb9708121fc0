import Foundation
import Testing

@Suite("batch does to many inputs what its verb does to one")
struct BatchTests {
  /// A run in a directory that holds two runs with checkpoints, and files that are broken.
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    /// Command lines that come first, whose outputs do not matter.
    let before: [String]
    let arguments: [String]
    let exitCode: Int32
    /// The outputs that are there afterwards, from the root.
    let outputs: [String]
    var testDescription: String { snapshot }

    init(
      _ snapshot: String, before: String..., then arguments: String, exit exitCode: Int32,
      outputs: String...
    ) {
      self.snapshot = "batch-\(snapshot).txt"
      self.before = before
      self.arguments = words("batch \(arguments)")
      self.exitCode = exitCode
      self.outputs = outputs
    }
  }

  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    for (name, step) in [("runs/a", 9), ("runs/a", 10), ("runs/b", 3)] {
      try workspace.copy(
        "olmo1-lionw/step12-unsharded/model.pt", as: "\(name)/step\(step)-unsharded/model.pt")
    }
    try workspace.copy("plain/state_dict-tied.pt", as: "files/model.pt")
    try workspace.copy("plain/state_dict-tied.pt", as: "files/model.bin")
    try workspace.copy("plain/opt-sgd.pt", as: "files/optim.pt")
    try workspace.write(workspace.bytes("files/optim.pt").prefix(5000), to: "files/cut.pt")
    try workspace.write(Data("# two of them\nfiles/optim.pt\n\nruns/b\n".utf8), to: "list.txt")
    try workspace.write(Data("files/optim.pt\ns3://bucket/step1\n".utf8), to: "urls.txt")
    return workspace
  }

  private static let all = [
    "a/step10-unsharded/model.safetensors", "a/step9-unsharded/model.safetensors",
    "b/step3-unsharded/model.safetensors",
  ]

  static let cases = [
    Case(
      "tree", then: "pt-to-safetensors runs -o out", exit: 0, outputs: all[0], all[1], all[2]),
    Case(
      "flags", then: "pt-to-safetensors runs/b --layout olmo --no-skeleton -o out", exit: 0,
      outputs: "step3-unsharded/model.safetensors"),
    Case(
      "pattern", then: "pt-to-safetensors runs/*/step?-* -o out -j4 --quiet", exit: 0,
      outputs: all[1], all[2]),
    Case(
      "list", then: "pt-to-safetensors --from list.txt -o out", exit: 0,
      outputs: "files/optim.safetensors", "runs/b/step3-unsharded/model.safetensors"),
    Case("list-of-urls", then: "pt-to-safetensors --from urls.txt -o out", exit: 65),
    Case("missing", then: "pt-to-safetensors runs files/none.pt -o out", exit: 74),
    Case(
      "missing-going-on", then: "pt-to-safetensors -k runs/b files/none.pt -o out", exit: 74,
      outputs: "runs/b/step3-unsharded/model.safetensors"),
    Case("nothing-found", then: "safetensors-to-pt runs -o out", exit: 65),
    Case(
      "collision", then: "pt-to-safetensors files/model.pt files/model.bin runs -o out", exit: 65),
    Case(
      "failure", then: "pt-to-safetensors files/cut.pt files/optim.pt -o out", exit: 65),
    Case(
      "failure-going-on", then: "pt-to-safetensors -k files/cut.pt files/optim.pt -o out", exit: 65,
      outputs: "optim.safetensors"),
    Case(
      "existing", before: "pt-to-safetensors runs/b -o out",
      then: "pt-to-safetensors runs/b -o out", exit: 74,
      outputs: "step3-unsharded/model.safetensors"),
    Case(
      "resumed", before: "pt-to-safetensors runs/*/step9* -o out",
      then: "pt-to-safetensors runs/ -o out --resume", exit: 0, outputs: all[0], all[1], all[2]),
    Case(
      "resumed-otherwise", before: "pt-to-safetensors runs -o out",
      then: "pt-to-safetensors runs -o out --resume --layout olmo", exit: 74, outputs: all[0],
      all[1], all[2]),
    Case(
      "beside-inputs", then: "pt-to-safetensors files/optim.pt -o files", exit: 0),
    Case(
      "merged", before: "pt-to-safetensors runs -o out --shard 1/2",
      then: "pt-to-safetensors runs -o out --merge-reports", exit: 1, outputs: all[0], all[2]),
    Case("json", then: "pt-to-safetensors runs/none -k -o out --json", exit: 74),
  ]

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func runs(_ test: Case) throws {
    let workspace = try Self.workspace()
    for line in test.before {
      #expect(try workspace.run(words("batch --quiet \(line)")).exitCode == 0)
    }
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    let outputs = try workspace.files().filter {
      $0.hasPrefix("out/") && $0.hasSuffix(".safetensors")
    }
    #expect(outputs == test.outputs.map { "out/\($0)" })
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
  }
}

private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
