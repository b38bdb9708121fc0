import CkptBase
import Testing

struct ShortNumberTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let value: Double
    let text: String
    var testDescription: String { text }
  }

  static let cases = [
    Case(value: 0, text: "0"), Case(value: .infinity, text: "inf"), Case(value: 1, text: "1"),
    Case(value: 0.5, text: "0.5"), Case(value: 12.3456, text: "12.35"),
    Case(value: 9.99996, text: "10"), Case(value: 123_456, text: "123456"),
    Case(value: 999.96, text: "1000"), Case(value: 0.0123456, text: "0.01235"),
    Case(value: 0.000123456, text: "0.0001235"), Case(value: 0.0000123456, text: "1.235e-5"),
    Case(value: 1e15, text: "1e15"), Case(value: 1.5e300, text: "1.5e300"),
    Case(value: .leastNonzeroMagnitude, text: "4.941e-324"),
  ]

  @Test("Numbers have four significant digits", arguments: cases)
  func renders(_ test: Case) { #expect(ShortNumber.text(test.value) == test.text) }

  static let shorter = [
    Case(value: -0.0312345, text: "-0.0312"), Case(value: 9.99e-6, text: "9.99e-6"),
    Case(value: 9.996e-6, text: "1e-5"), Case(value: 1234.5, text: "1235"),
    Case(value: 12.34, text: "12.3"), Case(value: -.infinity, text: "-inf"),
    Case(value: .nan, text: "nan"),
  ]

  @Test("Or three, and a sign", arguments: shorter)
  func rendersShorter(_ test: Case) {
    #expect(ShortNumber.text(test.value, digits: 3) == test.text)
  }
}
