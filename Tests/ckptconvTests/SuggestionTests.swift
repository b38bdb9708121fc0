import Testing

@testable import ckptconv

@Suite("A mistyped word brings the one that was meant")
struct SuggestionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let word: String
    let suggestion: String?
    var testDescription: String { word }
  }

  static let names = ["--output", "--layout", "--limit", "--json", "--drop-unsafe"]

  static let cases = [
    Case(word: "--output", suggestion: "--output"),
    Case(word: "--ouptut", suggestion: "--output"),
    Case(word: "--outpu", suggestion: "--output"),
    Case(word: "--limits", suggestion: "--limit"),
    Case(word: "--drop", suggestion: "--drop-unsafe"),
    Case(word: "--dropunsafe", suggestion: "--drop-unsafe"),
    Case(word: "--verbose", suggestion: nil),
    Case(word: "-x", suggestion: nil),
    Case(word: "", suggestion: nil),
  ]

  @Test("The nearest name is suggested, if it is near", arguments: cases)
  func suggests(_ test: Case) {
    #expect(Suggestion.closest(to: test.word, among: Self.names) == test.suggestion)
  }

  struct Pair: Sendable {
    let from: String
    let to: String
    let distance: Int
  }

  static let pairs = [
    Pair(from: "", to: "", distance: 0),
    Pair(from: "", to: "abc", distance: 3),
    Pair(from: "abc", to: "", distance: 3),
    Pair(from: "abc", to: "abc", distance: 0),
    Pair(from: "abc", to: "acb", distance: 1),
    Pair(from: "abc", to: "axc", distance: 1),
    Pair(from: "abc", to: "abxc", distance: 1),
    Pair(from: "kitten", to: "sitting", distance: 3),
    Pair(from: "ca", to: "abc", distance: 3),
  ]

  @Test("Insertions, deletions, replacements and swaps count one each", arguments: pairs)
  func measures(_ pair: Pair) {
    #expect(Suggestion.distance(Array(pair.from), Array(pair.to)) == pair.distance)
  }
}
