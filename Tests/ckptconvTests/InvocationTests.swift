import Testing

@testable import ckptconv

@Suite("A command line is understood before anything is done")
struct InvocationTests {
  @Test("Shared flags stand before the command and after it")
  func sharedFlags() throws {
    let before = try Invocation(parsing: ["--json", "--threads", "3", "inspect", "a"])
    let after = try Invocation(parsing: ["inspect", "a", "--threads=3", "--json"])
    for invocation in [before, after] {
      guard case .run(let command, let operands, let shared) = invocation else {
        Issue.record("not a command to run: \(invocation)")
        return
      }
      #expect(type(of: command).name == "inspect")
      #expect(operands == ["a"])
      #expect(shared.json)
      #expect(shared.threads == 3)
    }
  }

  @Test("Flags of a batch and of its verb stand on either side of the verb")
  func flagsAroundVerb() throws {
    for line in [
      "batch -o out --jobs=2 pt-to-safetensors runs --layout olmo --train",
      "batch pt-to-safetensors --train --layout=olmo -oout runs -j2",
    ] {
      let invocation = try Invocation(parsing: line.split(separator: " ").map(String.init)[...])
      guard case .run(let command, let operands, let shared) = invocation else {
        Issue.record("not a command to run: \(invocation)")
        return
      }
      #expect(type(of: command).name == "batch pt-to-safetensors")
      #expect(operands == ["runs"])
      #expect(shared.given == ["--jobs=2", "--layout=olmo", "--output=out", "--train"])
    }
  }

  @Test("Help goes before missing and surplus operands", arguments: ["inspect", "help"])
  func helpOfCommands(name: String) throws {
    for (flag, length) in [("-h", HelpLength.summary), ("--help", .manual)] {
      let after = try Invocation(parsing: [name, "a", "b", flag])
      guard case .help(.command(let page), length) = after else {
        Issue.record("not the \(length) of \(name): \(after)")
        return
      }
      #expect(page.name == name)
    }
  }

  @Test("Help before a command's name is help on it")
  func helpBeforeCommand() throws {
    guard case .help(.command(let page), .manual) = try Invocation(parsing: ["--help", "inspect"])
    else {
      Issue.record("not the manual of inspect")
      return
    }
    #expect(page.name == "inspect")
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let line: String
    let message: String
    let hint: String?

    init(_ line: String, says message: String, hint: String? = nil) {
      self.line = line
      self.message = message
      self.hint = hint
    }

    var testDescription: String { line }
  }

  static let refusals = [
    Refusal("", says: "no command given", hint: "'ckptconv -h' lists the commands"),
    Refusal("inspcet a", says: "unknown command 'inspcet'", hint: "did you mean inspect?"),
    Refusal("model.pt", says: "unknown command 'model.pt'"),
    Refusal("inspect", says: "no input given"),
    Refusal("help a b c", says: "help takes [COMMAND|TOPIC], found 3 arguments"),
    Refusal(
      "help inspect a", says: "no command or topic 'inspect a'", hint: "did you mean inspect?"),
    Refusal("help safty", says: "no command or topic 'safty'", hint: "did you mean safety?"),
    Refusal(
      "help zzzzzz", says: "no command or topic 'zzzzzz'",
      hint: "there are pages for "
        + "pt-to-safetensors, safetensors-to-pt, olmo-to-hf, hf-to-olmo, unshard, reshard, "
        + "config, inspect, diff, stats, export, verify, roundtrip, check, scan, batch, help, safety, layouts, skeleton, exit-codes "
        + "or environment"
    ),
    Refusal(
      "inspect a --layout olmo",
      says: "--layout is a flag of pt-to-safetensors, unshard or roundtrip",
      hint: "put the flags of a command after its name"),
    Refusal(
      "-o x pt-to-safetensors a",
      says: "-o is a flag of pt-to-safetensors, safetensors-to-pt, olmo-to-hf, hf-to-olmo, "
        + "unshard, reshard, config, stats, export or batch",
      hint: "put the flags of a command after its name"),
    Refusal(
      "inspect a --version", says: "--version cannot be used with a command",
      hint: "write 'ckptconv --version'"),
    Refusal(
      "pt-to-safetensors -o - a b",
      says: "--output - and 2 inputs cannot be combined: the standard output takes one file"),
    Refusal(
      "pt-to-safetensors --json -o - a",
      says: "--output - and --json cannot be combined: both use the standard output"),
    Refusal(
      "batch pt-to-safetensors a -o b --dry-run --report c",
      says: "--report and --dry-run cannot be combined: a dry run has nothing to report"),
    Refusal("verify --manifest - a", says: "--manifest needs a path, found '-'"),
    Refusal(
      "config --to olmo --keep-eos a",
      says:
        "--to olmo and --keep-eos cannot be combined: the end-of-text token is read from OLMo's config.yaml"
    ),
    Refusal(
      "config --to olmo --no-carry a",
      says:
        "--to olmo and --no-carry cannot be combined: only config.json keeps OLMo's own settings"),
    Refusal(
      "inspect a -",
      says: "the standard input cannot be an INPUT: checkpoints are not read in order",
      hint: "pass the path of a file; './-' is a file named '-'"),
    Refusal(
      "pt-to-safetensors -",
      says: "the standard input cannot be an INPUT: checkpoints are not read in order",
      hint: "pass the path of a file; './-' is a file named '-'"),
  ]

  @Test("What is wrong with a command line is explained", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let error = try #require(throws: UsageError.self) {
      _ = try Invocation(parsing: test.line.split(separator: " ").map(String.init)[...])
    }
    #expect(error.message == test.message)
    #expect(error.hint == test.hint)
  }

  @Test("An error says which command was being read")
  func errorsNameTheCommand() throws {
    let inside = try #require(throws: UsageError.self) {
      _ = try Invocation(parsing: ["inspect", "--zzz"])
    }
    let outside = try #require(throws: UsageError.self) {
      _ = try Invocation(parsing: ["--zzz", "inspect"])
    }
    #expect(inside.command == "inspect")
    #expect(outside.command == nil)
  }
}
