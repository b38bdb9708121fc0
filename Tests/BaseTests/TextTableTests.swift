import Testing

@testable import CkptBase

@Suite("A table of texts finds equal ones by their numbers")
struct TextTableTests {
  private static func hash(_ text: String, ignoringCase: Bool = false) -> Int {
    TextTable.hash(text.utf8.span, ignoringCase: ignoringCase)
  }

  @Test("Each of ten thousand texts has its number, in a table that grows from nothing")
  func finds() {
    let texts = (0..<10_000).map { "layers.\($0 / 64).experts.\($0 % 64).w1.weight" }
    var table = TextTable()
    for (number, text) in texts.enumerated() {
      #expect(table.update(number, hash: Self.hash(text)) { texts[$0] == text } == nil)
    }
    for (number, text) in texts.enumerated() {
      #expect(table.number(hash: Self.hash(text)) { texts[$0] == text } == number)
    }
    #expect(table.number(hash: Self.hash("layers")) { texts[$0] == "layers" } == nil)
  }

  @Test("A text that comes again takes the place of the first, whose number is told")
  func replaces() {
    let texts = ["weight", "bias", "weight"]
    var table = TextTable(expectedCount: texts.count)
    let known = texts.indices.map { number in
      table.update(number, hash: Self.hash(texts[number])) { texts[$0] == texts[number] }
    }
    #expect(known == [nil, nil, 0])
    #expect(table.number(hash: Self.hash("weight")) { texts[$0] == "weight" } == 2)
    #expect(table.number(hash: Self.hash("bias")) { texts[$0] == "bias" } == 1)
  }

  @Test("Texts whose hashes are all the same are told apart")
  func collides() {
    var table = TextTable()
    for number in 0..<100 { #expect(table.update(number, hash: 7) { $0 == number } == nil) }
    for number in 0..<100 { #expect(table.number(hash: 7) { $0 == number } == number) }
    #expect(table.number(hash: 7) { _ in false } == nil)
  }

  @Test("Only the letters of ASCII are one in capitals and small, wherever they stand in a word")
  func ignoresCase() {
    let scalars = (UInt8(1)...127).map { Unicode.Scalar($0) }
    for length in 1...9 {
      let padding = String(repeating: "x", count: length - 1)
      for first in scalars {
        let text = padding + String(Character(first))
        let letter = ("A"..."Z").contains(first) || ("a"..."z").contains(first)
        let other = padding + String(Character(Unicode.Scalar(UInt8(first.value) ^ 0x20)))
        #expect(text.equalsIgnoringCase(other) == letter)
        #expect(
          (Self.hash(text, ignoringCase: true) == Self.hash(other, ignoringCase: true)) == letter)
        #expect(Self.hash(text) != Self.hash(other))
      }
    }
    // The Kelvin sign is a capital k to Unicode.
    #expect(!"\u{212a}".equalsIgnoringCase("k"))
  }
}
