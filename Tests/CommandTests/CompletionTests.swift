import Foundation
import Testing

@Suite("Completions complete")
struct CompletionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let words: [String]
    let completions: String
    var testDescription: String { words.joined(separator: " ") }

    init(_ words: String..., gives completions: String) {
      self.words = words
      self.completions = completions
    }
  }

  static let cases = [
    Case(
      "",
      gives:
        "pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo unshard reshard config inspect "
        + "diff stats export verify roundtrip check scan batch help"),
    Case("ins", gives: "inspect"),
    Case("--gen", gives: "--generate"),
    Case("--generate", "", gives: "man bash zsh fish"),
    Case("inspect", "--so", gives: "--sort"),
    Case("inspect", "--sort", "", gives: "file name size"),
    Case("inspect", "--sort", "=", "na", gives: "name"),
    Case("inspect", "--sort", "=", gives: "file name size"),
    Case("inspect", "--color", "n", gives: "never"),
    Case("inspect", "--limit", "", gives: ""),
    Case("inspect", "mod", gives: "[files]"),
    Case("pt-to-safetensors", "-o", "", gives: "[files]"),
    Case(
      "batch", "",
      gives:
        "pt-to-safetensors safetensors-to-pt olmo-to-hf hf-to-olmo reshard config verify "
        + "roundtrip check stats"),
    Case("batch", "-o", "out", "saf", gives: "safetensors-to-pt"),
    Case("batch", "pt-to-safetensors", "run", gives: "[files]"),
    Case("batch", "pt-to-safetensors", "--lay", gives: "--layout"),
    Case("batch", "pt-to-safetensors", "--layout", "", gives: "plain olmo"),
    Case("batch", "--sh", gives: "--shard"),
    Case("help", "saf", gives: "safetensors-to-pt safety"),
  ]

  @Test("bash is offered what can follow", arguments: cases)
  func bash(_ test: Case) throws {
    let script = """
      compopt() { COMPREPLY=('[files]'); }
      eval "$1"; shift
      COMP_WORDS=(ckptconv "$@") COMP_CWORD=$#
      _ckptconv
      printf %s "${COMPREPLY[*]}"
      """
    let completions = try Tool.run(["--generate", "bash"]).output
    #expect(
      try shell("/bin/bash", ["-c", script, "bash", completions] + test.words) == test.completions)
  }

  static let shells = ["/usr/bin/zsh", "/usr/bin/fish"].filter {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test("Other shells find no fault with theirs, where they are installed", arguments: shells)
  func syntax(path: String) throws {
    try Tool.inFreshDirectory { directory in
      let script = directory.appendingPathComponent("script")
      let name = URL(fileURLWithPath: path).lastPathComponent
      try Tool.run(["--generate", name]).output.write(to: script, atomically: true, encoding: .utf8)
      #expect(try shell(path, ["-n", script.path]) == "")
    }
  }

  private func shell(_ path: String, _ arguments: [String]) throws -> String {
    try Tool.inFreshDirectory { directory in
      let output = directory.appendingPathComponent("output")
      let handle = try Tool.handle(writing: output)
      let exitCode = try Tool.run(
        arguments, program: path, in: directory, output: handle, errors: handle)
      let text = try String(contentsOf: output, encoding: .utf8)
      #expect(exitCode == 0, "\(text)")
      return text
    }
  }
}
