import CkptBase
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptCopy

@Suite("Statistics of Adam's updates")
struct UpdateStatisticsTests {
  static let rule = UpdateRule(step: 3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8)

  @Test("The bound and the floor of known decays")
  func knowsBounds() throws {
    let fast = try #require(UpdateRule(step: 1, beta1: 0.9, beta2: 0.95, epsilon: 0))
    let slow = try #require(UpdateRule(step: 1, beta1: 0.9, beta2: 0.999, epsilon: 0))
    #expect(abs(try #require(fast.bound) - 1.165) < 5e-4)
    #expect(abs(try #require(slow.bound) - 7.27) < 5e-3)
    #expect(abs(fast.noiseFloor - 0.2294) < 5e-5)
    #expect(UpdateRule(step: 1, beta1: 0.9, beta2: 0.8, epsilon: 0)?.bound == nil)
  }

  @Test("Settings that no run can have make no rule")
  func refusesRules() {
    #expect(UpdateRule(step: 0, beta1: 0.9, beta2: 0.95, epsilon: 0) == nil)
    #expect(UpdateRule(step: 1, beta1: 1, beta2: 0.95, epsilon: 0) == nil)
    #expect(UpdateRule(step: 1, beta1: 0.9, beta2: -0.1, epsilon: 0) == nil)
    #expect(UpdateRule(step: 1, beta1: 0.9, beta2: 0.95, epsilon: .nan) == nil)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let first: [Float]
    let second: [Float]
    let expected: @Sendable (inout UpdateStatistics) -> Void
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "ordinary", first: [0.1, -0.2], second: [0.04, 0.04]) { _ in },
    Case(name: "a NaN in m", first: [.nan, 0.1], second: [1, 1]) { $0.used = 1 },
    Case(name: "an infinite v", first: [0.1, 0.1], second: [.infinity, 1]) { $0.used = 1 },
    Case(name: "a negative v", first: [0.1, 0.1], second: [-1e-9, 1]) {
      $0.used = 1
      $0.secondNegative = 1
    },
    Case(name: "v is zero", first: [0, 1e-20, 0.1], second: [0, 0, 1]) {
      $0.secondZero = 2
      $0.secondZeroFirstNonzero = 1
      $0.belowEpsilon = 2
    },
    Case(name: "m is larger than any gradients make it", first: [0.2, 1.2], second: [1, 1]) {
      $0.overBound = 1
    },
    Case(name: "as large as gradients can make it", first: [1.16, -1.16], second: [1, 1]) { _ in },
    Case(name: "below epsilon", first: [1e-10, 1e-10], second: [1e-18, 1e-20]) {
      $0.belowEpsilon = 2
    },
  ]

  @Test("Elements are counted, and sums are those of the formulas", arguments: cases)
  func measures(_ test: Case) throws {
    let rule = try #require(Self.rule)
    let found = measured(test.first, test.second, shape: [test.first.count], rule).updates
    let used = zip(test.first, test.second)
      .filter { $0.isFinite && $1.isFinite && $1 >= 0 }.map { (Double($0), Double($1)) }
    // The corrections of the bias after three steps.
    let (c1, c2) = (1 / (1 - 0.9 * 0.9 * 0.9), 1 / (1 - 0.95 * 0.95 * 0.95))
    let updates = used.map { $0 * c1 / (($1 * c2).squareRoot() + 1e-8) }
    let gradients = used.reduce(0) { $0 + $1.1 * c2 }
    let squares = updates.reduce(0) { $0 + $1 * $1 }
    func isClose(_ found: Double?, _ expected: Double) -> Bool {
      found.map { abs($0 - expected) <= 1e-12 * expected } ?? false
    }
    #expect(isClose(found.gradientNorm, gradients.squareRoot()))
    #expect(isClose(found.updateNorm, squares.squareRoot()))
    #expect(isClose(found.updateRootMeanSquare, (squares / Double(used.count)).squareRoot()))
    #expect(isClose(found.updateMaximum, updates.map(abs).max() ?? 0))
    let moments = used.reduce(0) { $0 + $1.0 * c1 * $1.0 * c1 }
    #expect(isClose(found.coherence, moments / gradients))
    var expected = UpdateStatistics()
    expected.elements = test.first.count
    expected.used = expected.elements
    expected.overBound = 0
    test.expected(&expected)
    #expect(counts(found) == counts(expected))
  }

  private func counts(_ statistics: UpdateStatistics) -> [Int?] {
    [
      statistics.elements, statistics.used, statistics.belowEpsilon, statistics.secondZero,
      statistics.secondZeroFirstNonzero, statistics.secondNegative, statistics.overBound,
    ]
  }

  @Test("Rows whose second moments have died away")
  func findsRows() throws {
    let rule = try #require(Self.rule)
    // Below 2⁻¹²⁶ there is no normal number in single precision.
    let tiny = Float.leastNormalMagnitude.nextDown
    let least = Float.leastNonzeroMagnitude
    let second: [Float] = [1, 0, 0, 0, tiny, 0, .nan, 0, 0, least, 0, 0]
    let first = [Float](repeating: 0, count: 12)
    let found = measured(first, second, shape: [6, 2], rule).updates
    #expect(found.rowsWithoutUpdate == 4)
    #expect(found.rowRangesWithoutUpdate == [1...2, 4...5])
    #expect(measured(first, second, shape: [12], rule).updates.rowsWithoutUpdate == nil)
  }

  @Test("Moments arrive in turn, and each has statistics of its own", arguments: [Int.max, 4097])
  func takesWindows(_ length: Int) throws {
    let rule = try #require(Self.rule)
    let count = MomentPair.windowCount + 777
    let first = (0..<count).map { Float($0 % 9) / 100 - 0.04 }
    let second = (0..<count).map { Float($0 % 7 + 1) / 500 }
    let found = measured(first, second, shape: [count], rule, pieces: length)
    #expect(found.updates.used == count)
    #expect(
      found.first == Measured.elements(.float32, bits: first.map { UInt64($0.bitPattern) }))
    #expect(
      found.second == Measured.elements(.float32, bits: second.map { UInt64($0.bitPattern) }))
  }

  private func measured(
    _ first: [Float], _ second: [Float], shape: [Int], _ rule: UpdateRule, pieces: Int = .max
  ) -> MomentStatistics {
    let pair = MomentPair(shape: shape, first: .float32, second: .float32, rule: rule)
    let bytes = pair.windows.flatMap { window in
      [first, second].flatMap { numbers in
        Measured.bytes(numbers[window].map { UInt64($0.bitPattern) }, .float32)
      }
    }
    guard case .moments(let found)? = Measured.run([.moments(pair)], bytes, pieces: pieces).first
    else { preconditionFailure("two moments have statistics of both") }
    return found
  }
}
