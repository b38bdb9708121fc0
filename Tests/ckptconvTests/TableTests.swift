import Testing

@testable import ckptconv

@Suite("Tables stand in columns and give way to the terminal")
struct TableTests {
  private let table = Table(
    [.text("tensor"), .text("dtype"), .number("size")],
    rows: [
      ["transformer.wte.weight", "f32", "12.9 MB"],
      ["b\n", "bf16", "2 B"],
    ])

  @Test("Text stands left, numbers right")
  func aligns() {
    #expect(
      table.text(width: nil) == #"""
        tensor                  dtype     size
        transformer.wte.weight  f32    12.9 MB
        b\u{a}                  bf16       2 B

        """#)
  }

  @Test("On a narrow terminal names are cut first")
  func cutsNames() {
    #expect(
      table.text(width: 30) == #"""
        tensor          dtype     size
        transformer.w…  f32    12.9 MB
        b\u{a}          bf16       2 B

        """#)
  }

  @Test("No line is wider than the terminal")
  func neverTooWide() {
    for width in 1...60 {
      for line in table.text(width: width).split(separator: "\n") {
        #expect(line.count <= width)
      }
    }
  }

  @Test("Without rows there is a heading")
  func empty() {
    #expect(Table([.text("a"), .number("b")], rows: []).text(width: nil) == "a  b\n")
  }
}
