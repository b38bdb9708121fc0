import CkptBase
import CkptTestSupport
import Testing

@Suite("Names are equal if their bytes are")
struct ExactStringTests {
  private static let composed = ExactString(Spellings.composed)
  private static let decomposed = ExactString(Spellings.decomposed)

  @Test("Spellings that Unicode calls equivalent are different names, paths included")
  func spellings() {
    #expect(Spellings.composed == Spellings.decomposed)
    #expect(Self.composed != Self.decomposed)
    #expect(Set([Self.composed, Self.decomposed]).count == 2)
    #expect(Self.decomposed < Self.composed)
    #expect(!(Self.composed < Self.composed))
    let paths = [Spellings.composed, Spellings.decomposed].map { FilePath("a/\($0)") }
    #expect(Set(paths).count == 2)
    #expect(paths[0] == FilePath("a/\(Spellings.composed)"))
  }

  @Test("Names of every length up to several words are found again, and no prefix of them")
  func hashes() {
    let names = (0...40).map { String(repeating: "a", count: $0) }
    let set = Set(names: names)
    #expect(set.count == names.count)
    for name in names { #expect(set.contains(name)) }
    #expect(!set.contains(String(repeating: "a", count: 41)))
    #expect(!set.contains(String(repeating: "b", count: 8)))
  }

  @Test("Tables and sets are asked by text")
  func tables() {
    var table: [ExactString: Int] = [:]
    table[Spellings.composed] = 1
    #expect(table[Spellings.decomposed] == nil)
    table[Spellings.decomposed] = 2
    #expect(table.count == 2)
    #expect(table[Spellings.composed] == 1)
    table[Spellings.composed] = nil
    #expect(table.count == 1)
    var set: Set<ExactString> = []
    let names = [Spellings.composed, Spellings.decomposed, Spellings.composed]
    let areNew = names.map { set.insert($0) }
    #expect(areNew == [true, true, false])
  }

  struct Parts: Sendable, CustomTestStringConvertible {
    let text: String
    var most = Int.max
    let parts: [Substring]
    var testDescription: String { text.debugDescription }
  }

  static let parts = [
    Parts(text: "", parts: [""]),
    Parts(text: "a.b", parts: ["a", "b"]),
    Parts(text: ".a..b.", parts: ["", "a", "", "b", ""]),
    Parts(text: "a.b.c", most: 1, parts: ["a", "b.c"]),
    // For Swift a full stop and an accent behind it are one character; for the formats they are two.
    Parts(text: "a.\u{301}b", parts: ["a", "\u{301}b"]),
  ]

  @Test("Names are taken apart by bytes", arguments: parts)
  func takesApart(_ test: Parts) {
    #expect(test.text.parts(between: ".", atMost: test.most) == test.parts)
  }

  @Test("Beginnings and ends are bytes")
  func ends() {
    let name = "a/\u{301}b"
    #expect(name.begins(with: "a/"))
    #expect(!name.hasPrefix("a/"))
    #expect(name.droppingFirst(2) == "\u{301}b")
    #expect("b/\u{301}".ends(with: "\u{301}"))
    #expect(!name.ends(with: "xa/\u{301}b"))
  }
}
