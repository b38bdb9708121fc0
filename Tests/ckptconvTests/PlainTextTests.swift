import Testing

@testable import ckptconv

@Suite("The manual is wrapped for a terminal of 80 columns")
struct PlainTextTests {
  @Test("Blocks are set apart, indented and wrapped")
  func rendersDocument() {
    let words = Array(repeating: "word", count: 20).joined(separator: " ")
    let document = Document(
      title: "name", summary: "what it does",
      sections: [
        Document.Section(title: "One", blocks: [.text("a `b`\nc\n\n\(words)"), .code(["  $ x"])]),
        Document.Section(
          title: "Two",
          blocks: [
            .definition("--flag", [.text("text"), .list([("a", "first\nline"), ("bcd", words)])])
          ]),
      ])
    #expect(
      PlainText().render(document) == """
        name: what it does

        One
            a b c

            word word word word word word word word word word word word word word word
            word word word word word

              $ x

        Two
            --flag
                text

                a    first line
                bcd  word word word word word word word word word word word word word
                     word word word word word word word

        """)
  }

  @Test("A word wider than the terminal stands alone")
  func keepsLongWords() {
    let word = String(repeating: "x", count: 100)
    let document = Document(
      title: "n", summary: "s",
      sections: [Document.Section(title: "T", blocks: [.text("a \(word) b")])])
    #expect(PlainText().render(document) == "n: s\n\nT\n    a\n    \(word)\n    b\n")
  }

  @Test("Help fills the terminal, up to 100 columns", arguments: [20, 40, 80, 100, 200])
  func fillsTerminal(columns: Int) {
    let text = String(repeating: "word ", count: 60)
    let document = Document(
      title: "n", summary: "s", sections: [Document.Section(title: "T", blocks: [.text(text)])])
    let widest = PlainText(columns: columns).render(document).split(separator: "\n").map(\.count)
      .max()
    let limit = min(max(columns, 40), 100)
    #expect((limit - 6..<limit).contains(widest ?? 0))
  }
}
