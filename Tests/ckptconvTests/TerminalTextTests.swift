import CkptBase
import Testing

@testable import ckptconv

@Suite("Text for a terminal is plain, harmless and colored only where wanted")
struct TerminalTextTests {
  struct Hostile: Sendable, CustomTestStringConvertible {
    let text: String
    let harmless: String
    var testDescription: String { harmless }
  }

  static let hostile = [
    Hostile(text: "model.pt", harmless: "model.pt"),
    Hostile(text: "größe 重み 🦙", harmless: "größe 重み 🦙"),
    Hostile(text: "a\nb\r\tc", harmless: #"a\u{a}b\u{d}\u{9}c"#),
    Hostile(text: "\u{1B}[2Jgone", harmless: #"\u{1b}[2Jgone"#),
    Hostile(text: "\u{7F}\u{9B}31m", harmless: #"\u{7f}\u{9b}31m"#),
    Hostile(text: "tp.\u{202E}txt", harmless: #"tp.\u{202e}txt"#),
    Hostile(text: "a\u{2028}b\u{0}", harmless: #"a\u{2028}b\u{0}"#),
  ]

  @Test("Control characters of names are shown, not obeyed", arguments: hostile)
  func showsControls(_ test: Hostile) {
    #expect(test.text.harmless == test.harmless)
  }

  struct Coloring: Sendable {
    let choice: ColorChoice
    let isTerminal: Bool
    let environment: [String: String]
    let isOn: Bool
  }

  static let colorings = [
    Coloring(choice: .auto, isTerminal: true, environment: ["TERM": "xterm"], isOn: true),
    Coloring(choice: .auto, isTerminal: true, environment: [:], isOn: true),
    Coloring(choice: .auto, isTerminal: true, environment: ["NO_COLOR": ""], isOn: true),
    Coloring(choice: .auto, isTerminal: true, environment: ["NO_COLOR": "1"], isOn: false),
    Coloring(choice: .auto, isTerminal: true, environment: ["TERM": "dumb"], isOn: false),
    Coloring(choice: .auto, isTerminal: false, environment: ["TERM": "xterm"], isOn: false),
    Coloring(choice: .always, isTerminal: false, environment: ["NO_COLOR": "1"], isOn: true),
    Coloring(choice: .never, isTerminal: true, environment: ["TERM": "xterm"], isOn: false),
  ]

  @Test("Colors follow the flag, then the environment, then the terminal", arguments: colorings)
  func decidesColors(_ test: Coloring) {
    let isOn = test.choice.isOn(isTerminal: test.isTerminal) { test.environment[$0] }
    #expect(isOn == test.isOn)
  }

  private static let error = CheckpointError(
    .forbidden, "global 'os.system' is not allowed", at: 0x1f3, remedy: "see 'ckptconv help safety'"
  )
  .framed(by: "archive/data.pkl").framed(by: "mo\ndel.pt")

  @Test("An error says where, what and what to do")
  func reportsError() {
    #expect(
      Message(Self.error).lines(Style(isOn: false)) == #"""
        ckptconv: error: mo\u{a}del.pt: archive/data.pkl: byte 0x1f3: global 'os.system' is not allowed
          hint: see 'ckptconv help safety'

        """#)
    #expect(
      Message(CheckpointError(.malformed, "bad")).lines(Style(isOn: true))
        == "ckptconv: \u{1B}[1;31merror:\u{1B}[0m bad\n")
  }

  @Test("An error for programs has its code and its place in pieces")
  func reportsErrorToPrograms() {
    #expect(
      Message(Self.error).json == #"""
        {"level":"error","code":"forbidden","message":"mo\ndel.pt: archive/data.pkl: byte 0x1f3: \#
        global 'os.system' is not allowed","path":["mo\ndel.pt","archive/data.pkl"],"offset":499,\#
        "hint":"see 'ckptconv help safety'"}
        """#)
  }

  @Test("A warning is one line")
  func reportsWarning() {
    let message = Message(.warning, "lost\n")
    #expect(message.lines(Style(isOn: false)) == "ckptconv: warning: lost\\u{a}\n")
    #expect(
      message.json
        == #"{"level":"warning","code":null,"message":"lost\n","path":[],"offset":null,"hint":null}"#
    )
  }
}
