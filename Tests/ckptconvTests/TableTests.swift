import CkptTestSupport
import Testing

@testable import ckptconv

@Suite("Tables stand in columns and give way to the terminal")
struct TableTests {
  private let table = Table(
    [.name("tensor"), .text("dtype"), .number("size"), .text("kind").optional, .detail("note")],
    rows: [
      ["transformer.wte.weight", "f32", "12.9 MB", "weight", "of a storage of 20 MB"],
      ["b\n", "bf16", "2 B", "bias", ""],
    ])

  struct Width: Sendable, CustomTestStringConvertible {
    let width: Int?
    let text: String
    var testDescription: String { "\(width ?? 0) columns" }
  }

  static let widths = [
    Width(
      width: nil,
      text: #"""
        tensor                  dtype     size  kind    note
        transformer.wte.weight  f32    12.9 MB  weight  of a storage of 20 MB
        b\u{a}                  bf16       2 B  bias

        """#),
    Width(
      width: 50,
      text: #"""
        tensor                  dtype     size  kind
        transformer.wte.weight  f32    12.9 MB  weight
          note  of a storage of 20 MB
        b\u{a}                  bf16       2 B  bias

        """#),
    Width(
      width: 40,
      text: #"""
        tensor                  dtype     size
        transformer.wte.weight  f32    12.9 MB
          note  of a storage of 20 MB
        b\u{a}                  bf16       2 B

        """#),
    Width(
      width: 32,
      text: #"""
        tensor            dtype     size
        trans…wte.weight  f32    12.9 MB
          note  of a storage of 20 MB
        b\u{a}            bf16       2 B

        """#),
    Width(
      width: 24,
      text: #"""
        tensor
        transformer.wte.weight
          dtype  f32
          size   12.9 MB
          note   of a storage of
                 20 MB
        b\u{a}
          dtype  bf16
          size   2 B

        """#),
  ]

  @Test(
    "A narrow terminal moves details, then leaves out columns, then shortens names",
    arguments: widths)
  func fits(_ test: Width) {
    #expect(table.text(width: test.width) == test.text)
  }

  @Test("No line is wider than the terminal")
  func neverTooWide() {
    for width in 20...90 {
      for line in table.text(width: width).split(separator: "\n") {
        #expect(String(line).width <= width)
      }
    }
  }

  @Test("Without rows there is a heading")
  func empty() {
    #expect(Table([.text("a"), .number("b")], rows: []).text(width: nil) == "a  b\n")
  }

  @Test("Numbers stand with their points below each other")
  func alignsDecimals() {
    #expect(
      Table([.name("a"), .decimal("b")], rows: [["x", "12.5"], ["y", "0.25"], ["z", "3e-5"]])
        .text(width: nil) == """
          a  b
          x  12.5
          y   0.25
          z   3e-5

          """)
  }

  @Test("Wide characters take two columns")
  func measuresWideCharacters() {
    #expect("重み".width == 4)
    #expect("🦙".width == 2)
    #expect("e\u{301}a".width == 2)
    #expect(
      Table([.name("n"), .text("v")], rows: [["重", "1"], ["abc", "2"]]).text(width: nil) == """
        n    v
        重   1
        abc  2

        """)
  }

  /// Names like those of models, from a generator with a printed seed.
  private static func names(_ random: inout SeededGenerator) -> [String] {
    let words = ["transformer", "blocks", "att_proj", "weight", "exp_avg_sq", "重み", "state", "0"]
    return (0..<Int.random(in: 1...60, using: &random)).map { _ in
      (0..<Int.random(in: 1...9, using: &random)).map { _ in
        words[Int.random(in: 0..<words.count, using: &random)]
          + "\(Int.random(in: 0...99, using: &random))"
      }.joined(separator: ".")
    }
  }

  @Test(
    "Whole names are never cut, and shortened names are as different as the names",
    arguments: 0..<200)
  func keepsNamesApart(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let names = Self.names(&random)
    let table = Table([.name("n"), .text("d")], rows: names.map { [$0, "float32"] })
    let width = Int.random(in: 20...100, using: &random)
    for text in [table.text(width: nil), table.text(width: width, fullNames: true)] {
      let lines = text.split(separator: "\n").map(String.init)
      for name in names { #expect(lines.contains { $0.hasPrefix(name) }) }
    }
    let short = ElidedNames.elide(names, to: width)
    #expect(Set(zip(names, short).map { "\($0) \($1)" }).count == Set(names).count)
    #expect(Set(short).count == Set(names).count)
  }
}
