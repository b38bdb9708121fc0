import CkptBase
import Testing

@Suite("Sizes for people")
struct ByteCountTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let bytes: Int
    let text: String
    var testDescription: String { text }
  }

  static let cases = [
    Case(bytes: 0, text: "0 B"),
    Case(bytes: 999, text: "999 B"),
    Case(bytes: 1000, text: "1.00 kB"),
    Case(bytes: 1994, text: "1.99 kB"),
    Case(bytes: 1995, text: "2.00 kB"),
    Case(bytes: 12_345, text: "12.3 kB"),
    Case(bytes: 99_949, text: "99.9 kB"),
    Case(bytes: 99_950, text: "100 kB"),
    Case(bytes: 999_499, text: "999 kB"),
    Case(bytes: 999_500, text: "1.00 MB"),
    Case(bytes: 4_128_392_908, text: "4.13 GB"),
    Case(bytes: 1_000_000_000_000, text: "1.00 TB"),
    Case(bytes: .max, text: "9.22 EB"),
  ]

  @Test("Sizes have three digits, rounded to nearest, and a decimal unit", arguments: cases)
  func rendersSize(_ test: Case) {
    #expect(ByteCount(bytes: test.bytes).description == test.text)
  }
}
