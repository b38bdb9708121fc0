import Testing

@testable import ckptconv

@Suite("The man page is roff that says what the manual says")
struct ManPageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let block: Document.Block
    let lines: [String]
  }

  static let cases = [
    Case(
      testDescription: "paragraphs", block: .text("one\ntwo\n\nthree"),
      lines: ["one two", ".PP", "three"]),
    Case(
      testDescription: "literal words", block: .text("use `--no-x` and a-b"),
      lines: [#"use \fB\-\-no\-x\fR and a\-b"#]),
    Case(
      testDescription: "a line that looks like a request", block: .text(".pt is a name"),
      lines: [#"\&.pt is a name"#]),
    Case(
      testDescription: "backslashes and quotes", block: .text(#"it's a\b"#),
      lines: [#"it\(aqs a\eb"#]),
    Case(
      testDescription: "a flag of one paragraph", block: .definition("--x N", [.text("text")]),
      lines: [".TP", #"\fB\-\-x N\fR"#, "text"]),
    Case(
      testDescription: "a flag with choices",
      block: .definition("--x", [.text("text"), .list([("a", "b")])]),
      lines: [".TP", #"\fB\-\-x\fR"#, "text", ".RS", ".TP", #"\fBa\fR"#, "b", ".RE"]),
    Case(
      testDescription: "code", block: .code(["$ a -b"]),
      lines: [".EX", ".RS 4", #"$ a \-b"#, ".RE", ".EE"]),
  ]

  @Test("A block becomes requests and text", arguments: cases)
  func rendersBlock(_ test: Case) {
    let document = Document(
      title: "name", summary: "what it does",
      sections: [Document.Section(title: "Section", blocks: [test.block])])
    let head = [
      #".TH NAME 1 "" "name 1.0" "User Commands""#, ".SH NAME", #"name \- what it does"#,
      ".SH SECTION",
    ]
    let text = (head + test.lines).joined(separator: "\n") + "\n"
    #expect(ManPage.render(document, version: "1.0") == text)
  }
}
