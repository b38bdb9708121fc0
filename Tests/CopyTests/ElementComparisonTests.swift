import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

struct ElementComparisonTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let type: DType
    let left: [UInt8]
    let otherType: DType
    let right: [UInt8]
    var count = 0
    var bitCount = 0
    var nanCount = 0
    var absolute: ElementDifferences.Maximum?
    var relative: ElementDifferences.Maximum?
    var testDescription: String { name }

    init<Number>(
      _ name: String, _ type: DType, _ left: [Number], _ right: [Number],
      count: Int = 0, bits: Int = 0, nan: Int = 0, absolute: (Double, Int)? = nil,
      relative: (Double, Int)? = nil
    ) {
      self.init(
        name, type, left, type, right, count: count, bits: bits, nan: nan, absolute: absolute,
        relative: relative)
    }

    init<Left, Right>(
      _ name: String, _ type: DType, _ left: [Left], _ otherType: DType, _ right: [Right],
      count: Int = 0, bits: Int = 0, nan: Int = 0, absolute: (Double, Int)? = nil,
      relative: (Double, Int)? = nil
    ) {
      self.name = name
      self.type = type
      self.left = bytes(left)
      self.otherType = otherType
      self.right = bytes(right)
      self.count = count
      bitCount = bits
      nanCount = nan
      self.absolute = absolute.map { .init(value: $0.0, element: $0.1) }
      self.relative = relative.map { .init(value: $0.0, element: $0.1) }
    }
  }

  static let infinity = Float.infinity

  static let cases = [
    Case("nothing", .float32, [Float](), [Float]()),
    Case("equal", .float32, [Float(1), 2, 3], [Float(1), 2, 3]),
    Case(
      "one element", .float32, [Float(1), 2, 3], [Float(1), 2.5, 3], count: 1, absolute: (0.5, 1),
      relative: (0.2, 1)),
    Case(
      "the largest absolute and relative difference are of different elements", .float64,
      [1000.0, 0.5, -1], [1001.0, 1.0, 1], count: 3, absolute: (2, 2), relative: (2, 2)),
    Case(
      "the first of equal maxima", .float32, [Float](repeating: 0, count: 2000),
      [Float](repeating: 1, count: 2000), count: 2000, absolute: (1, 0), relative: (1, 0)),
    Case("zeros of both signs", .float32, [Float(0)], [-Float(0)], bits: 1),
    Case("NaNs", .float32, [Float.nan], [-Float.nan], bits: 1),
    Case("a NaN on one side", .float32, [Float.nan, 1], [Float(1), .nan], count: 2, nan: 2),
    Case("equal infinities", .float32, [infinity, -infinity], [infinity, -infinity]),
    Case(
      "an infinity", .float32, [infinity, 1, infinity], [Float(1), 1, -infinity], count: 2,
      absolute: (.infinity, 0), relative: (.infinity, 0)),
    Case(
      "an infinity beside equal ones", .float64, [Double.infinity, 2], [Double.infinity, 3],
      count: 1, absolute: (1, 1), relative: (1.0 / 3, 1)),
    Case(
      "int64 beyond doubles", .int64, [Int64.max, 1], [Int64.max - 1, 1], count: 1,
      absolute: (1, 0), relative: (1 / 0x1p63, 0)),
    Case(
      "int64 at both ends", .int64, [Int64.min], [Int64.max], count: 1, absolute: (0x1p64, 0),
      relative: (2, 0)),
    Case(
      "uint64 and int64", .uint64, [UInt64.max], .int64, [Int64(-1)], count: 1,
      absolute: (0x1p64, 0), relative: (1, 0)),
    Case(
      "bool", .bool, [UInt8(0), 1], [UInt8(1), 1], count: 1, absolute: (1, 0), relative: (1, 0)),
    Case(
      "bfloat16 and float32", .bfloat16, [UInt16(0x3f80), 0x4000], .float32, [Float(1), 2.25],
      count: 1, absolute: (0.25, 1), relative: (0.25 / 2.25, 1)),
    Case(
      "float16: smallest subnormal, largest number, infinity", .float16,
      [UInt16(0x0001), 0x7bff, 0x7c00], .float64, [0.0, 65504, .infinity], count: 1,
      absolute: (0x1p-24, 0), relative: (1, 0)),
    Case(
      "float8_e4m3fn", .float8_e4m3fn, [UInt8(0x7e), 0x7f, 0x01], .float32,
      [Float(448), .nan, 0x1p-9]),
    Case(
      "float8_e5m2", .float8_e5m2, [UInt8(0x7b), 0x7c, 0xfe, 0x01], .float32,
      [Float(57344), .infinity, .nan, 0x1p-16]),
    Case(
      "float8 without negative zero", .float8_e4m3fnuz, [UInt8(0x80), 0x7f], .float32,
      [Float.nan, 240]),
    Case(
      "float8_e5m2fnuz", .float8_e5m2fnuz, [UInt8(0x80), 0x7f, 0xff], .float32,
      [Float.nan, 57344, -57344]),
    Case(
      "float8_e8m0fnu", .float8_e8m0fnu, [UInt8(127), 0, 255], .float64, [1, 0x1p-127, .nan]),
    Case(
      "complex64", .complex64, [Float(1), 2], [Float(4), 6], count: 1, absolute: (5, 0),
      relative: (5 / 52.0.squareRoot(), 0)),
    Case(
      "complex and real", .complex128, [3.0, 4], .float32, [Float(3)], count: 1, absolute: (4, 0),
      relative: (0.8, 0)),
    Case(
      "complex with a NaN in one part", .complex64, [Float.nan, 1], [Float(1), .nan], bits: 1),
    Case(
      "bits that are no numbers", .float4_e2m1fn_x2, [UInt8(0x12), 3], [UInt8(0x13), 3], count: 1),
  ]

  static func run(
    _ test: Case, _ configuration: CopyEngineTests.Engine
  ) throws -> ElementDifferences {
    let source = try FileRegion.holding(test.left)
    let place = try FileRegion.holding(test.right)
    let output = try ComparingOutput(expecting: [
      .init(place, by: ElementComparison(arriving: test.type, expected: test.otherType))
    ])
    let plan = FilePlan([.copy(source, range: 0..<test.left.count)])
    try configuration.engine.run(plan, into: output)
    return output.differences.first?.found ?? ElementDifferences()
  }

  @Test("Elements are compared as numbers", arguments: cases)
  func table(_ test: Case) throws {
    for configuration in CopyEngineTests.engines {
      let found = try Self.run(test, configuration)
      #expect(found.count == test.count)
      #expect(found.bitCount == test.bitCount)
      #expect(found.nanCount == test.nanCount)
      #expect(found.absolute == test.absolute)
      #expect(found.relative?.element == test.relative?.element)
      let (ratio, expected) = (found.relative?.value ?? 0, test.relative?.value ?? 0)
      #expect(ratio == expected || abs(ratio - expected) <= expected * 1e-15)
    }
  }

  @Test(
    "A loop over elements finds the same as many threads over pieces",
    arguments: [1, 7, 4099, 70_001])
  func random(count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    let left = (0..<count).map { _ in Float(Int8.random(in: -9...9, using: &generator)) }
    let right = left.map {
      Bool.random(using: &generator) ? $0 : $0 + Float.random(in: 0..<2, using: &generator)
    }
    var expected = ElementDifferences()
    for (index, pair) in zip(left, right).enumerated() where pair.0 != pair.1 {
      let (one, other) = (Double(pair.0), Double(pair.1))
      expected.add(abs(one - other), of: max(abs(one), abs(other)), at: index)
    }
    for (one, other) in zip(left, right) {
      expected.squares.difference += Double(one - other) * Double(one - other)
      expected.squares.left += Double(one) * Double(one)
      expected.squares.right += Double(other) * Double(other)
    }
    let test = Case("random", .float32, left, right)
    for configuration in CopyEngineTests.engines {
      var found = try Self.run(test, configuration)
      // The order of a sum decides its last digits.
      let (change, wanted) = (found.relativeChange ?? -1, expected.relativeChange ?? -1)
      #expect(abs(change - wanted) <= 1e-6 * abs(wanted))
      found.squares = expected.squares
      #expect(found == expected)
    }
  }

  @Test("Pieces that end inside of elements are put together")
  func fragments() throws {
    let left = bytes([1.0, 2, 3, 4])
    let right = try FileRegion.holding(bytes([1.0, 2.5, 3, 5]))
    let output = try ComparingOutput(expecting: [
      .init(right, by: ElementComparison(arriving: .float64, expected: .float64))
    ])
    for start in stride(from: 0, to: 32, by: 3).reversed() {
      let end = min(start + 3, 32)
      try output.write(left.span.bytes.extracting(start..<end), at: start)
    }
    let found = try #require(output.differences.first?.found)
    #expect(found.count == 2)
    #expect(found.absolute == .init(value: 1, element: 3))
  }

  @Test("Runs are told apart, and regions that are not inside of their file refused")
  func runs() throws {
    let left = try FileRegion.holding(bytes([1.0, 2, 3]))
    let file = try FileRegion.holding(bytes([1.0, 9, 3])).source
    func run(_ range: Range<Int>) -> ComparingOutput<ElementComparison>.Run {
      .init(
        FileRegion(source: file, range: range, name: "x"),
        by: ElementComparison(arriving: .float64, expected: .float64))
    }
    let output = try ComparingOutput(expecting: [run(0..<8), run(8..<24)])
    try CopyEngine().run(FilePlan([.copy(left, range: 0..<24)]), into: output)
    #expect(output.differences.map(\.run) == [1])
    #expect(output.differences.map(\.found.count) == [1])
    #expect(output.differences[0].found.absolute == .init(value: 7, element: 0))
    #expect(throws: CheckpointError.self) { try ComparingOutput(expecting: [run(16..<32)]) }
  }
}

/// The bytes of numbers, least significant first.
private func bytes<Number>(_ numbers: [Number]) -> [UInt8] {
  numbers.flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
}
