import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

struct ComparingOutputTests {
  typealias Difference = ComparingOutput<ByteComparison>.Difference

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// The sizes of the expected regions.
    let runs: [Int]
    /// The bytes of what is expected that are changed in what arrives.
    var changes: [Int] = []
    /// The bytes that arrive beyond those expected, or fewer.
    var excess = 0
    let differences: [Difference]
    var testDescription: String { name }
  }

  static func difference(_ run: Int, _ offset: Int, _ byteCount: Int) -> Difference {
    Difference(run: run, found: ByteDifferences(first: offset, count: byteCount))
  }

  static let cases = [
    Case(name: "nothing", runs: [], differences: []),
    Case(name: "no bytes", runs: [0, 0], differences: []),
    Case(name: "bytes where none are expected", runs: [], excess: 1000, differences: []),
    Case(name: "equal", runs: [150_000], differences: []),
    Case(name: "equal in many runs", runs: Array(repeating: 100, count: 1000), differences: []),
    Case(
      name: "the first byte", runs: [100_000], changes: [0], differences: [difference(0, 0, 1)]),
    Case(
      name: "the last byte", runs: [100_000], changes: [99_999],
      differences: [difference(0, 99_999, 1)]),
    Case(
      name: "around blocks and buffers", runs: [150_000],
      changes: [255, 256, 65_535, 65_536, 131_071, 131_072, 149_999],
      differences: [difference(0, 255, 7)]),
    Case(
      name: "several runs and one that is intact", runs: [1000, 0, 70_000, 1, 5000, 60_000],
      changes: [999, 1000, 5000, 71_000, 76_001, 76_002],
      differences: [
        difference(0, 999, 1), difference(2, 0, 2), difference(3, 0, 1), difference(5, 0, 2),
      ]),
    Case(
      name: "every byte", runs: [300, 99_700], changes: Array(0..<100_000),
      differences: [difference(0, 0, 300), difference(1, 0, 99_700)]),
    Case(
      name: "longer than expected", runs: [5000, 90_000], changes: [94_999], excess: 5000,
      differences: [difference(1, 89_999, 1)]),
    Case(
      name: "shorter than expected", runs: [5000, 95_000], changes: [4999, 95_000], excess: -6000,
      differences: [difference(0, 4999, 1)]),
  ]

  static func run(
    _ plan: FilePlan, into output: ComparingOutput<ByteComparison>,
    _ configuration: CopyEngineTests.Engine
  ) throws {
    try configuration.engine.run(plan, into: output)
    #expect(output.byteCount == plan.byteCount)
  }

  @Test("The lowest difference of every run is found, and how many there are", arguments: cases)
  func table(_ example: Case) throws {
    let total = example.runs.reduce(0, +)
    let bytes = sampleBytes(total)
    // The expected regions lie in reverse order in their file, with gaps between them.
    var runs: [(offset: Int, bytes: [UInt8])] = []
    var end = total
    var place = 0
    for count in example.runs.reversed() {
      runs.append((place, Array(bytes[end - count..<end])))
      end -= count
      place += count + 3
    }
    let expectedFile = try TemporaryFile.holding(runs, byteCount: place)
    let regions = runs.reversed().map { run in
      FileRegion(
        source: expectedFile, range: run.offset..<run.offset + run.bytes.count, name: "storage")
    }
    var arriving = bytes + sampleBytes(max(example.excess, 0), seed: 2)
    for change in example.changes { arriving[change] ^= 0x80 }
    arriving.removeLast(max(-example.excess, 0))
    let source = try FileRegion.holding(arriving)
    let plan = FilePlan([.copy(source, range: 0..<arriving.count)])
    for configuration in CopyEngineTests.engines {
      let output = try ComparingOutput(expecting: regions)
      try Self.run(plan, into: output, configuration)
      #expect(output.differences == example.differences)
      #expect(output.expectedByteCount == total)
    }
  }

  @Test("A file with computed fields is compared as it will be", arguments: CopyEngineTests.engines)
  func computed(_ configuration: CopyEngineTests.Engine) throws {
    let (plan, expected) = try RecordTests.example()
    let same = try ComparingOutput(expecting: TemporaryFile.holding(expected))
    try Self.run(plan, into: same, configuration)
    #expect(same.differences == [])

    var damaged = expected
    damaged[expected.count - 7] ^= 1
    let other = try ComparingOutput(expecting: TemporaryFile.holding(damaged))
    try Self.run(plan, into: other, configuration)
    #expect(other.differences == [Self.difference(0, expected.count - 7, 1)])
  }

  @Test("Expected regions that are not inside their file are refused")
  func beyond() throws {
    let file = try TemporaryFile.holding(sampleBytes(10))
    let error = #expect(throws: CheckpointError.self) {
      try ComparingOutput(expecting: [FileRegion(source: file, range: 5..<11, name: "storage")])
    }
    #expect(error?.code == .truncated)
    #expect(error?.path == [file.path, "storage"])
  }

  @Test("An expected file that shrinks is an error")
  func shrinking() throws {
    let bytes = sampleBytes(1000)
    let output = try TemporaryFile.shrinking(bytes, to: 600) { try ComparingOutput(expecting: $0) }
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan([.literal(bytes)]), into: output)
    }
    #expect(error?.code == .inputOutput)
    #expect(error?.offset == 600)
  }
}
