import Foundation
import Testing

@Suite("Streams are used with manners")
struct StreamTests {
  @Test("A missing file ends with 74 and is named on standard error")
  func missingFile() throws {
    let outcome = try Tool.run(["inspect", "missing.pt"])
    #expect(
      outcome
        == Tool.Outcome(
          exitCode: 74, output: "",
          errors: "ckptconv: error: missing.pt: no such file or directory\n"))
  }

  @Test("Control characters in a path do not reach the terminal")
  func hostilePath() throws {
    let outcome = try Tool.run(["inspect", "a\u{1B}[2J\nb"])
    #expect(
      outcome.errors
        == "ckptconv: error: a\\u{1b}[2J\\u{a}b: no such file or directory\n")
  }

  @Test("A reader who has had enough is no failure")
  func brokenPipe() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    try expect(exitCode: 0, errors: "", output: pipe.fileHandleForWriting)
  }

  @Test("A full disk behind standard output ends with 74", .enabled(if: hasFullDevice))
  func fullOutput() throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    try expect(
      exitCode: 74,
      errors: """
        ckptconv: error: standard output: no space left on device
          hint: free some space, or choose another output with -o

        """,
      output: full)
  }

  @Test("A standard error that nobody reads changes nothing")
  func brokenErrors() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    try Tool.inFreshDirectory { directory in
      let exitCode = try Tool.run(
        ["inspect", "missing.pt"], in: directory, output: .nullDevice,
        errors: pipe.fileHandleForWriting)
      #expect(exitCode == 74)
    }
  }

  struct Coloring: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let flags: [String]
    let environment: [String: String]
    let isColored: Bool
  }

  static let colorings = [
    Coloring(
      testDescription: "a terminal", flags: [], environment: [:], isColored: true),
    Coloring(
      testDescription: "NO_COLOR", flags: [], environment: ["NO_COLOR": "1"], isColored: false),
    Coloring(
      testDescription: "TERM=dumb", flags: [], environment: ["TERM": "dumb"], isColored: false),
    Coloring(
      testDescription: "--color never", flags: ["--color", "never"], environment: [:],
      isColored: false),
    Coloring(
      testDescription: "--color always in spite of NO_COLOR", flags: ["--color=always"],
      environment: ["NO_COLOR": "1"], isColored: true),
  ]

  @Test("Messages are colored on a terminal that wants it", arguments: colorings)
  func colors(_ test: Coloring) throws {
    let terminal = try PseudoTerminal(columns: 80)
    try Tool.inFreshDirectory { directory in
      let exitCode = try Tool.run(
        ["inspect", "missing.pt"] + test.flags, in: directory,
        environment: Tool.environment.merging(test.environment) { $1 }, output: .nullDevice,
        errors: terminal.device)
      #expect(exitCode == 74)
    }
    let word = test.isColored ? "\u{1B}[1;31merror:\u{1B}[0m" : "error:"
    #expect(
      try terminal.text()
        == "ckptconv: \(word) missing.pt: no such file or directory\r\n")
  }

  @Test("A safetensors file is not written to a terminal")
  func binaryOnTerminal() throws {
    let terminal = try PseudoTerminal(columns: 80)
    try Tool.inFreshDirectory { directory in
      let errors = directory.appendingPathComponent("stderr")
      let exitCode = try Tool.run(
        ["pt-to-safetensors", "missing.pt", "-o", "-"], in: directory, output: terminal.device,
        errors: Tool.handle(writing: errors))
      #expect(exitCode == 64)
      #expect(
        try String(contentsOf: errors, encoding: .utf8) == """
          ckptconv: error: --output - would write a .safetensors file to the terminal
            hint: send it to a pipe or a file: '-o - > model.safetensors'
            usage: ckptconv COMMAND [FLAG...] INPUT...

          """)
    }
  }

  static let hasFullDevice = FileManager.default.fileExists(atPath: "/dev/full")

  private func expect(exitCode: Int32, errors expected: String, output: FileHandle) throws {
    try Tool.inFreshDirectory { directory in
      let errors = directory.appendingPathComponent("stderr")
      let code = try Tool.run(
        ["--help"], in: directory, output: output, errors: Tool.handle(writing: errors))
      #expect(code == exitCode)
      #expect(try String(contentsOf: errors, encoding: .utf8) == expected)
    }
  }
}
