import CkptBase
import Testing

@Suite("Sums and products that do not fit are errors and no traps")
struct CheckedArithmeticTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let left: Int
    let right: Int
    var sum: Int?
    var product: Int?
    var testDescription: String { "\(left) and \(right)" }
  }

  static let cases = [
    Case(left: 0, right: 0, sum: 0, product: 0),
    Case(left: 2, right: 3, sum: 5, product: 6),
    Case(left: .max, right: 0, sum: .max, product: 0),
    Case(left: .max, right: 1, sum: nil, product: .max),
    Case(left: .max, right: .max),
    Case(left: 1 << 31, right: 1 << 31, sum: 1 << 32, product: 1 << 62),
    Case(left: 1 << 32, right: 1 << 31, sum: 3 << 31, product: nil),
  ]

  @Test("A result is right or refused", arguments: cases)
  func results(_ test: Case) {
    #expect((try? test.left.adding(test.right, orThrow: "the end")) == test.sum)
    #expect((try? test.left.multiplied(by: test.right, orThrow: "the size")) == test.product)
  }

  @Test("The error tells what is too large")
  func message() {
    for error in [
      #expect(throws: CheckpointError.self) { try Int.max.adding(1, orThrow: "the end") },
      #expect(throws: CheckpointError.self) { try Int.max.multiplied(by: 2, orThrow: "the end") },
    ] {
      #expect(error?.message.contains("the end") == true)
    }
  }
}
