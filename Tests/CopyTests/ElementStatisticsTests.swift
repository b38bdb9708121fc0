import CkptBase
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptCopy

@Suite("Statistics of elements")
struct ElementStatisticsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let dtype: DType
    /// Numbers as their bits.
    let bits: [UInt64]
    let zeros: Int
    let nan: Int
    let infinite: Int
    let subnormal: Int?
    let atLimit: Int?
    let largest: Double
    let smallest: Double
    var testDescription: String { dtype.name }
  }

  /// Of each type: 0, −0, ±the largest number, the smallest normal one, half of that, NaN and, where the
  /// type has it, infinity.
  static let cases = [
    Case(
      dtype: .float64,
      bits: [
        0, 1 << 63, 0x7fef_ffff_ffff_ffff, 0xffef_ffff_ffff_ffff, 1 << 52, 1 << 51,
        0x7ff8_0000_0000_0001, 0x7ff0_0000_0000_0000,
      ],
      zeros: 2, nan: 1, infinite: 1, subnormal: 1, atLimit: 2,
      largest: .greatestFiniteMagnitude, smallest: 0x1p-1023),
    Case(
      dtype: .float32,
      bits: [
        0, 1 << 31, 0x7f7f_ffff, 0xff7f_ffff, 0x0080_0000, 0x0040_0000, 0x7fc0_0000, 0xff80_0000,
      ],
      zeros: 2, nan: 1, infinite: 1, subnormal: 1, atLimit: 2,
      largest: Double(Float.greatestFiniteMagnitude), smallest: 0x1p-127),
    Case(
      dtype: .bfloat16, bits: [0, 0x8000, 0x7f7f, 0xff7f, 0x0080, 0x0040, 0x7fc0, 0x7f80],
      zeros: 2, nan: 1, infinite: 1, subnormal: 1, atLimit: 2, largest: 0x1.fep127,
      smallest: 0x1p-127),
    Case(
      dtype: .float16, bits: [0, 0x8000, 0x7bff, 0xfbff, 0x0400, 0x0200, 0x7e00, 0x7c00],
      zeros: 2, nan: 1, infinite: 1, subnormal: 1, atLimit: 2, largest: 65504, smallest: 0x1p-15),
    Case(
      dtype: .float8_e5m2, bits: [0, 0x80, 0x7b, 0xfb, 0x04, 0x02, 0x7e, 0x7c],
      zeros: 2, nan: 1, infinite: 1, subnormal: 1, atLimit: 2, largest: 57344, smallest: 0x1p-15),
    Case(
      dtype: .float8_e4m3fn, bits: [0, 0x80, 0x7e, 0xfe, 0x08, 0x04, 0x7f],
      zeros: 2, nan: 1, infinite: 0, subnormal: 1, atLimit: 2, largest: 448, smallest: 0x1p-7),
    Case(
      dtype: .float8_e4m3fnuz, bits: [0, 0x7f, 0xff, 0x08, 0x04, 0x80],
      zeros: 1, nan: 1, infinite: 0, subnormal: 1, atLimit: 2, largest: 240, smallest: 0x1p-8),
    Case(
      dtype: .int16, bits: [0, 0x7fff, 0xffff], zeros: 1, nan: 0, infinite: 0, subnormal: nil,
      atLimit: nil, largest: 32767, smallest: 1),
  ]

  @Test("Special values of each type are told apart", arguments: cases)
  func counts(_ test: Case) {
    let found = Measured.elements(test.dtype, bits: test.bits)
    #expect(found.elements == test.bits.count)
    #expect(found.zeros == test.zeros)
    #expect(found.nan == test.nan)
    #expect(found.infinite == test.infinite)
    #expect(found.subnormal == test.subnormal)
    #expect(found.atLimit == test.atLimit)
    #expect(found.maximum == test.largest)
    #expect(found.smallest == test.smallest)
    #expect(found.histogram?.counts.reduce(0, +) == found.finite - found.zeros)
    #expect(found.histogram?.first == Int(test.smallest.exponent))
    #expect(found.firstNotFinite == (test.nan > 0 ? test.bits.count - 1 - test.infinite : nil))
  }

  struct Distribution: Sendable, CustomTestStringConvertible {
    let name: String
    let numbers: [Double]
    let mean: Double
    let deviation: Double
    let kurtosis: Double?
    var testDescription: String { name }
  }

  static let distributions = [
    Distribution(
      name: "one to four", numbers: [1, 2, 3, 4], mean: 2.5, deviation: 1.25.squareRoot(),
      kurtosis: 1.64),
    Distribution(
      name: "one number", numbers: [-2.25], mean: -2.25, deviation: 0, kurtosis: nil),
    Distribution(
      name: "equal numbers", numbers: Array(repeating: 0.1, count: 5000), mean: 0.1, deviation: 0,
      kurtosis: nil),
    // The mean of 2n numbers ±a is 0, and so each distance is a.
    Distribution(
      name: "two peaks", numbers: (0..<6000).map { $0.isMultiple(of: 2) ? 1e8 : -1e8 }, mean: 0,
      deviation: 1e8, kurtosis: 1),
    Distribution(
      name: "far from zero", numbers: (0..<5000).map { 1e6 + Double($0 % 2) }, mean: 1_000_000.5,
      deviation: 0.5, kurtosis: 1),
    Distribution(
      name: "one outlier in a block of zeros",
      numbers: [Double](repeating: 0, count: 2047) + [2048], mean: 1,
      deviation: 2047.0.squareRoot(), kurtosis: 2046 + 1.0 / 2047),
    Distribution(
      name: "squares that single precision has not", numbers: [1e-30, -1e-30], mean: 0,
      deviation: 1e-30, kurtosis: 1),
  ]

  @Test("Moments of known distributions", arguments: distributions)
  func computesMoments(_ test: Distribution) throws {
    let found = Measured.elements(.float64, bits: test.numbers.map(\.bitPattern))
    let scale = try #require(found.meanMagnitude)
    #expect(abs(try #require(found.mean) - test.mean) <= 1e-15 * scale)
    #expect(abs(try #require(found.standardDeviation) - test.deviation) <= 1e-12 * test.deviation)
    if let kurtosis = test.kurtosis {
      #expect(abs(try #require(found.kurtosis) - kurtosis) <= 1e-12 * kurtosis)
    } else {
      #expect(found.kurtosis == nil)
    }
    let squares = test.numbers.reduce(0) { $0 + $1 * $1 }
    #expect(abs(found.norm - squares.squareRoot()) <= 1e-12 * found.norm)
    #expect(found.minimum == test.numbers.min())
    #expect(found.maximum == test.numbers.max())
  }

  @Test("Squares of doubles may overflow, and nothing traps")
  func overflows() {
    let large = Double.greatestFiniteMagnitude
    let found = Measured.elements(.float64, bits: [large, -large, 1].map(\.bitPattern))
    #expect(found.norm == .infinity)
    #expect(found.rootMeanSquare == .infinity)
    #expect(found.kurtosis?.isNaN == true)
    #expect(found.histogram?.counts.count == 1024)
  }

  @Test("No finite elements, no numbers", arguments: [[], [Float.nan.bitPattern, 0x7f80_0000]])
  func measuresNothing(_ bits: [UInt32]) {
    let found = Measured.elements(.float32, bits: bits.map { UInt64($0) })
    #expect(found.mean == nil)
    #expect(found.standardDeviation == nil)
    #expect(found.kurtosis == nil)
    #expect(found.minimum == nil)
    #expect(found.histogram == nil)
    #expect(found.norm == 0)
  }

  @Test("The same bits however the bytes arrive", arguments: [1, 7, 4096, 8191, 100_000])
  func ignoresPieces(_ length: Int) {
    var generator = SeededGenerator(seed: 7)
    let bits = (0..<10_001).map { index -> UInt64 in
      index % 3000 == 5 ? 0x7fc0_0000 : generator.next() % (1 << 29) | 0x3000_0000
    }
    let whole = Measured.elements(.float32, bits: bits, shape: [73, 137], keepsSketch: true)
    let pieces = Measured.elements(
      .float32, bits: bits, shape: [73, 137], keepsSketch: true, pieces: length)
    #expect(whole == pieces)
    #expect(whole.nan == 4)
  }

  @Test("Norms of rows and columns, NaN left out")
  func measuresAxes() throws {
    let numbers: [Float] = [3, 0, 4, 0, 0, 0, .nan, 2, 0, 0, 0, 0]
    let found = Measured.elements(
      .float32, bits: numbers.map { UInt64($0.bitPattern) }, shape: [4, 3])
    let rows = try #require(found.rows)
    #expect(rows.count == 4)
    #expect(rows.zero == 2)
    #expect((rows.minimum, rows.minimumPlace) == (0, 1))
    #expect((rows.maximum, rows.maximumPlace) == (5, 0))
    #expect(rows.median == 0)
    #expect(rows.rootMeanSquare == (29.0 / 4).squareRoot())
    let columns = try #require(found.columns)
    #expect(columns.count == 3)
    #expect((columns.minimum, columns.minimumPlace) == (2, 1))
    #expect((columns.maximum, columns.maximumPlace) == (4, 2))
    #expect(columns.median == 3)
  }

  @Test("Only matrices have rows, and not those of a file made to take memory")
  func limitsAxes() {
    #expect(MatrixSums([2, 3, 4]) == nil)
    #expect(MatrixSums([5]) == nil)
    #expect(MatrixSums([0, 5]) == nil)
    #expect(MatrixSums([1, MatrixSums.limit + 1]) == nil)
    #expect(MatrixSums([MatrixSums.limit, 1]) != nil)
  }

  @Test("Blocks are merged as a tree over their numbers", arguments: 1...20)
  func mergesAsTree(_ count: Int) {
    struct Trace: Mergeable, Equatable {
      var text: String
      mutating func merge(_ next: Trace) { text = "(\(text)\(next.text))" }
    }
    var tree = BlockTree<Trace>()
    for number in 0..<count { tree.append(Trace(text: "\(number),")) }
    func expected(_ range: Range<Int>) -> String {
      guard range.count > 1 else { return "\(range.lowerBound)," }
      var half = 1
      while half * 2 < range.count { half *= 2 }
      let middle = range.lowerBound + half
      return "(\(expected(range.lowerBound..<middle))\(expected(middle..<range.upperBound)))"
    }
    #expect(tree.finish()?.text == expected(0..<count))
  }
}

@Suite("Sketches")
struct SketchTests {
  /// The sums by the definition.
  private func expected(_ numbers: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: 256)
    for (index, number) in numbers.enumerated() {
      let (block, place) = (index / 256, index % 256)
      var generator = SeededGenerator(
        seed: UInt64(4 * block + place / 64))
      let isPlus = generator.next() >> UInt64(place % 64) & 1 == 1
      sums[(place + 97 * block) % 256] += isPlus ? number : -number
    }
    return sums
  }

  @Test("Sums are those of the definition", arguments: [1, 255, 256, 257, 5000])
  func followsDefinition(_ count: Int) throws {
    // Integers are added without rounding in any order.
    let numbers = (0..<count).map { Double($0 % 91 - 40) }
    let found = Measured.elements(.float64, bits: numbers.map(\.bitPattern), keepsSketch: true)
    #expect(try #require(found.sketch).sums == expected(numbers))
  }

  @Test("Numbers that are not finite count as zero")
  func leavesOutNaN() throws {
    let numbers: [Double] = [1, .nan, 2, .infinity]
    let zeros: [Double] = [1, 0, 2, 0]
    let found = Measured.elements(.float64, bits: numbers.map(\.bitPattern), keepsSketch: true)
    #expect(try #require(found.sketch).sums == expected(zeros))
  }

  @Test("Distances of small tensors are exact")
  func measuresSmallTensors() throws {
    let (one, other) = ((0..<200).map { Double($0) }, (0..<200).map { Double($0 * $0 % 7) })
    let first = Measured.elements(.float64, bits: one.map(\.bitPattern), keepsSketch: true)
    let second = Measured.elements(.float64, bits: other.map(\.bitPattern), keepsSketch: true)
    let difference = try #require(first.sketch) - #require(second.sketch)
    let squares = zip(one, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    #expect(difference.product(difference) == squares)
  }
}

/// Statistics of numbers given as their bits.
enum Measured {
  static func elements(
    _ dtype: DType, bits: [UInt64], shape: [Int]? = nil, keepsSketch: Bool = false,
    pieces length: Int = .max
  ) -> ElementStatistics {
    let item = StatisticsItem.elements(
      dtype, shape: shape ?? [bits.count], keepsSketch: keepsSketch)
    guard case .elements(let found)? = run([item], bytes(bits, dtype), pieces: length).first else {
      preconditionFailure("a tensor has statistics of elements")
    }
    return found
  }

  /// The results for `items` whose bytes arrive in pieces of `length`.
  static func run(
    _ items: [StatisticsItem], _ bytes: [UInt8], pieces length: Int
  ) -> [StatisticsResult] {
    let output = StatisticsOutput(of: items)
    for start in stride(from: 0, to: bytes.count, by: min(length, max(bytes.count, 1))) {
      let piece = Array(bytes[start..<min(start + min(length, bytes.count), bytes.count)])
      output.write(piece.span.raw, at: start)
    }
    return output.results
  }

  static func bytes(_ bits: [UInt64], _ dtype: DType) -> [UInt8] {
    bits.flatMap { number in
      (0..<dtype.byteCount).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
  }
}
