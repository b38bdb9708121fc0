import CkptBase

import Testing

@testable import CkptHuggingFace
@testable import ckptconv

struct RemedyTests {
  /// The flags that commands have, by the name of the command.
  private static let flags: [String: Set<String>] = {
    let pages = FlagTable.pages + FlagTable.pages.flatMap(\.subpages)
    return Dictionary(
      uniqueKeysWithValues: pages.map { page in
        (page.name, Set(page.ownFlags.flatMap { [$0.long, $0.short.map(String.init) ?? ""] }))
      })
  }()

  /// The flags of OLMo's trainer.
  private static let trainerFlags: Set = [
    "load_path", "reset_optimizer_state", "reset_trainer_state",
  ]

  /// The words of a line that begin with a dash, without dashes and quotes.
  private static func flagNames(in line: String) -> [String] {
    line.split(separator: " ").map { $0.filter { $0 != "'" && $0 != "," } }
      .filter { $0.hasPrefix("-") && $0 != "-" }
      .map { String($0.drop { $0 == "-" }.prefix { $0 != "=" }) }
  }

  @Test(
    "The words of every remedy name flags that commands have", arguments: Remedy.Action.allCases)
  func namesFlags(_ action: Remedy.Action) {
    let known = Self.flags.values.reduce(Self.trainerFlags) { $0.union($1) }
    for remedy in [Remedy.action(action), .text("a reason", action)] {
      #expect(!remedy.words.isEmpty)
      for name in Self.flagNames(in: remedy.words) {
        #expect(known.contains(name), "\(remedy.words)")
      }
    }
    #expect(Remedy.text("a reason", action).words.hasPrefix("a reason"))
  }

  @Test(
    "A command line in a remedy is one that the command takes", arguments: Remedy.Action.allCases)
  func namesCommands(_ action: Remedy.Action) throws {
    for quoted in Remedy.action(action).words.split(
      separator: "'", omittingEmptySubsequences: false)
    where quoted.hasPrefix("\(FlagTable.program) ") {
      let command = try #require(quoted.split(separator: " ").dropFirst().first).description
      let flags = try #require(Self.flags[command], "\(quoted)")
      for name in Self.flagNames(in: String(quoted)) { #expect(flags.contains(name)) }
    }
  }

  @Test("A remedy without an action is its text")
  func texts() {
    #expect(Remedy.text("fetch it again").words == "fetch it again")
    #expect(Remedy("fetch it again").words == "fetch it again")
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let remedy: Remedy
    let words: String
    var testDescription: String { words }
  }

  static let cases = [
    Case(remedy: .action(.replaceExisting), words: "use --force to replace it"),
    Case(
      remedy: .text("it was changed", .replaceExisting),
      words: "it was changed; use --force to replace it"),
    Case(
      remedy: .text("the file system is read-only", .writeElsewhere),
      words: "the file system is read-only; choose another output with -o"),
    Case(
      remedy: .text("move it away", .writeToOtherDirectory),
      words: "move it away, or write to another directory with -o"),
    Case(
      remedy: .text("'a' has no counterpart", .nameTree),
      words: "'a' has no counterpart below the root that -o names"),
    Case(
      remedy: .text("convert the OLMo checkpoint", .convertToHuggingFace),
      words: "convert the OLMo checkpoint with 'ckptconv olmo-to-hf'"),
  ]

  @Test("A reason stands before what to do", arguments: cases)
  func reasons(_ test: Case) {
    #expect(test.remedy.words == test.words)
  }

  @Test("A notice is one sentence with its remedy")
  func notices() {
    let notice = Notice("optim.pt was not converted", remedy: .action(.includeOptimizer))
    #expect(notice.sentence(\.words) == "optim.pt was not converted; add --optimizer to include it")
    #expect(Notice("lost").sentence(\.words) == "lost")
  }

  @Test("OLMo's trainer is told what begins anew")
  func trainerStart() {
    let start = TrainerStart(directory: "a b", resetsOptimizer: true, resetsTrainer: false)
    #expect(start.flags == ["--load_path=a b", "--reset_optimizer_state"])
  }
}
