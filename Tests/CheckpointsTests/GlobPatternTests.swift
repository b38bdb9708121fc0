import CkptCheckpoints
import CkptTestSupport
import Testing

@Suite("Patterns match what they match in shells")
struct GlobPatternTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let pattern: String
    let matching: [String]
    let others: [String]
    var testDescription: String { pattern }

    init(_ pattern: String, matches matching: String..., not others: String...) {
      self.pattern = pattern
      self.matching = matching
      self.others = others
    }
  }

  static let cases = [
    Case("*", matches: "a", "model.pt", not: ".hidden"),
    Case("*.pt", matches: "model.pt", "a.b.pt", not: "model.pth", ".pt"),
    Case(
      "step*000-unsharded", matches: "step1000-unsharded", "step000-unsharded",
      not: "step1-unsharded"),
    Case("step?", matches: "step1", "stepé", not: "step", "step12"),
    Case("step[0-9]", matches: "step0", "step9", not: "stepa", "step10"),
    Case("step[!0-9]", matches: "stepa", not: "step0"),
    Case("[]x]", matches: "]", "x", not: "[", "a"),
    Case("[a-]", matches: "a", "-", not: "b"),
    Case("[z-a]", not: "z", "a", "m"),
    Case("[ab", matches: "[ab", not: "a"),
    Case("\\*", matches: "*", not: "a"),
    Case(".*", matches: ".hidden", not: "shown"),
    Case("a*b*c", matches: "abc", "aXbYc", "abbbc", not: "ab", "acb"),
    Case("**", matches: "a", not: ".a"),
    Case("", matches: "", not: "a"),
  ]

  @Test("Names that match are told from those that do not", arguments: cases)
  func matches(_ test: Case) {
    for name in test.matching {
      #expect(GlobPattern.matches(name, test.pattern), "\(name)")
    }
    for name in test.others { #expect(!GlobPattern.matches(name, test.pattern), "\(name)") }
  }

  @Test("A pattern that backtracks everywhere is decided in an instant")
  func isNotExponential() {
    let name = String(repeating: "a", count: 2000)
    #expect(!GlobPattern.matches(name, String(repeating: "a*", count: 200) + "b"))
  }

  struct Base: Sendable, CustomTestStringConvertible {
    let pattern: String
    let base: String?
    var testDescription: String { pattern }
  }

  static let bases = [
    Base(pattern: "model.pt", base: nil),
    Base(pattern: "runs/a/step1", base: nil),
    Base(pattern: "*.pt", base: "."),
    Base(pattern: "runs/*/step1", base: "runs"),
    Base(pattern: "/data/runs/**/model.pt", base: "/data/runs"),
    Base(pattern: "/*", base: "/"),
    Base(pattern: "../runs/step[0-9]", base: "../runs"),
  ]

  @Test("The base is what stands before the first special character", arguments: bases)
  func hasBase(_ test: Base) {
    #expect(GlobPattern(test.pattern)?.base == test.base)
  }
}
