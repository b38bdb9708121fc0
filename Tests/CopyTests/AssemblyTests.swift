import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// Bytes put together from packed elements, against a model that goes byte by byte.
struct AssemblyTests {
  /// An assembly, what it must give, and which packed bytes reach each of its bytes.
  struct Model {
    var pieces: [Assembly.Piece] = []
    /// The packed bytes of each piece.
    var packed: [[UInt8]] = []
    var expected: [UInt8]
    /// For each byte of the assembly, the packed bytes that go there.
    var reaching: [[(piece: Int, byte: Int)]]

    /// Pieces at `placements`, which agree about every byte.
    init(byteCount: Int, _ placements: [StridedElements], seed: UInt64 = 1) throws {
      let truth = sampleBytes(byteCount, seed: seed)
      expected = Array(repeating: 0, count: byteCount)
      reaching = Array(repeating: [], count: byteCount)
      for (number, placement) in placements.enumerated() {
        let unit = placement.elementByteCount
        var bytes: [UInt8] = []
        for offset in StridedCopyTests.offsets(placement) {
          var element = Array(truth[offset..<offset + unit])
          for (index, bits) in placement.flippedBits.enumerated() { element[index] ^= bits }
          for start in stride(from: 0, to: unit, by: placement.swapWidth) {
            element[start..<start + placement.swapWidth].reverse()
          }
          for index in 0..<unit {
            expected[offset + index] = truth[offset + index]
            let inUnit = index % placement.swapWidth
            let source = index - inUnit + placement.swapWidth - 1 - inUnit
            reaching[offset + index].append((number, bytes.count + source))
          }
          bytes += element
        }
        packed.append(bytes)
      }
      try makePieces(placements)
    }

    private mutating func makePieces(_ placements: [StridedElements]) throws {
      let file = try TemporaryFile.holding(packed.flatMap(\.self))
      var offset = 0
      for (number, placement) in placements.enumerated() {
        let count = packed[number].count
        let region = FileRegion(source: file, range: offset..<offset + count, name: "t\(number)")
        pieces.append(Assembly.Piece(region: region, placement: placement))
        offset += count
      }
    }

    /// The same with one packed byte changed.
    func damaging(piece: Int, byte: Int) throws -> Model {
      var copy = self
      copy.packed[piece][byte] ^= 0x10
      copy.pieces = []
      try copy.makePieces(pieces.map(\.placement))
      return copy
    }

    var assembly: Segment { .assembly(Assembly(byteCount: expected.count, pieces: pieces)) }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let byteCount: Int
    let placements: [StridedElements]
    var testDescription: String { name }

    init(_ name: String, _ byteCount: Int, _ placements: [StridedElements]) {
      self.name = name
      self.byteCount = byteCount
      self.placements = placements
    }
  }

  static func view(
    _ offset: Int, _ shape: [Int], _ strides: [Int], unit: Int = 2, swap: Int = 1,
    flips: [UInt8] = []
  ) -> StridedElements {
    StridedElements(
      byteOffset: offset, shape: shape, byteStrides: strides, elementByteCount: unit,
      swapWidth: swap, flippedBits: flips)
  }

  static let cases = [
    Case("no pieces", 1000, []),
    Case("no bytes", 0, []),
    Case("no elements", 100, [view(0, [3, 0], [2, 2])]),
    Case("no elements and no bytes", 0, [view(0, [0], [2])]),
    Case("a scalar", 9, [view(5, [], [])]),
    Case("all", 10_000, [view(0, [5000], [2])]),
    Case("a stretch", 10_000, [view(100, [400], [2])]),
    Case("every second element", 20_000, [view(0, [5000], [4])]),
    Case(
      "every second element and those between", 20_000,
      [view(0, [5000], [4]), view(2, [5000], [4])]),
    Case("columns of a matrix", 40_000, [view(2, [100, 2], [400, 2])]),
    Case(
      "columns that are all of a matrix", 40_000,
      (0..<4).map { view($0 * 100, [100, 50], [400, 2]) }),
    Case("transposed", 8400, [view(0, [60, 70], [2, 120])]),
    Case(
      "transposed and as it is", 8400,
      [view(0, [60, 70], [2, 120]), view(0, [70, 60], [120, 2])]),
    Case("transposed with gaps", 20_000, [view(6, [60, 70], [4, 260])]),
    Case(
      "transposed columns", 40_000,
      [view(10, [20, 100], [2, 400]), view(60, [20, 100], [2, 400])]),
    Case("three channels last", 6000, [view(0, [3, 1000], [2, 6]), view(2, [10], [6])]),
    Case("permuted", 7 * 6 * 5 * 4 * 8, [view(0, [4, 6, 7, 5], [8, 160, 960, 32], unit: 8)]),
    Case("a whole and a part of it", 10_000, [view(0, [5000], [2]), view(4000, [700], [2])]),
    Case(
      "elements of different sizes", 4096,
      [
        view(0, [256], [16], unit: 16), view(8, [256], [16], unit: 8),
        view(1, [4000], [1], unit: 1),
      ]),
    Case(
      "elements across each other", 4099,
      [
        view(0, [1024], [4], unit: 4), view(3, [512], [8], unit: 8), view(1, [2000], [2]),
      ]),
    Case("one element expanded", 100, [view(50, [40, 50], [0, 0])]),
    Case("a column expanded", 2000, [view(0, [900, 30], [2, 0])]),
    Case("a row expanded", 2000, [view(0, [30, 900], [0, 2])]),
    Case("sliding windows", 4000, [view(0, [1500, 16], [2, 2])]),
    Case("overlapping rows", 8000, [view(0, [700, 16], [10, 2])]),
    Case("strides that cross", 900, [view(0, [20, 20], [6, 4])]),
    Case("big-endian", 8192, [view(0, [2000], [4], swap: 2)]),
    Case(
      "negated columns", 8000,
      [
        view(0, [100, 10], [80, 4], unit: 4, flips: [0, 0, 0, 0x80]),
        view(40, [100, 10], [80, 4], unit: 4, swap: 4, flips: [0, 0, 0, 0x80]),
      ]),
  ]

  /// An assembly of a region's two-byte elements, each with a gap behind it.
  static func spread(_ region: FileRegion) -> Segment {
    let places = view(0, [region.byteCount / 2], [4])
    return .assembly(
      Assembly(byteCount: 2 * region.byteCount, pieces: [.init(region: region, placement: places)]))
  }

  /// Returns the assembly of a region with these bytes.
  static func spread(_ bytes: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 2 * bytes.count)
    for (index, byte) in bytes.enumerated() { result[index / 2 * 4 + index % 2] = byte }
    return result
  }

  static func run(
    _ segments: [Segment], _ configuration: CopyEngineTests.Engine
  ) throws -> [UInt8] {
    let output = MemoryOutput(isSequential: configuration.isSequential)
    try configuration.engine.run(FilePlan(segments), into: output)
    #expect(output.isWrittenOnce)
    return output.bytes
  }

  @Test(
    "Elements are put where they belong, as they are and in the cheapest segments", arguments: cases
  )
  func table(_ example: Case) throws {
    let model = try Model(byteCount: example.byteCount, example.placements)
    let cheapest = try Segment.assembling(byteCount: example.byteCount, pieces: model.pieces)
    for engine in CopyEngineTests.engines {
      let result = try Self.run([.literal([1]), model.assembly, .literal([2])], engine)
      #expect(result == [1] + model.expected + [2], "\(engine)")
      #expect(try Self.run(cheapest, engine) == model.expected, "\(engine)")
    }
  }

  /// One to three placements inside one assembly.
  static func random(_ generator: inout SeededGenerator) throws -> Model {
    let placements = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
      StridedCopyTests.randomElements(using: &generator)
    }
    let end =
      placements.map { elements in
        StridedCopyTests.offsets(elements).map { $0 + elements.elementByteCount }.max() ?? 0
      }.max() ?? 0
    return try Model(
      byteCount: end + Int.random(in: 0...100, using: &generator), placements,
      seed: generator.next())
  }

  static func randomEngine(_ generator: inout SeededGenerator) -> CopyEngineTests.Engine {
    CopyEngineTests.Engine(
      threads: Int.random(in: 1...3, using: &generator),
      memory: Int.random(in: 900...60_000, using: &generator),
      isSequential: Bool.random(using: &generator))
  }

  @Test("Random placements", arguments: 0..<100 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let model = try Self.random(&generator)
    let cheapest = try Segment.assembling(byteCount: model.expected.count, pieces: model.pieces)
    let engine = Self.randomEngine(&generator)
    #expect(try Self.run([model.assembly], engine) == model.expected)
    #expect(try Self.run(cheapest, engine) == model.expected)
  }

  @Test(
    "One wrong byte is a conflict wherever another element has it",
    arguments: 0..<100 as Range<UInt64>)
  func randomConflict(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let model = try Self.random(&generator)
    let piece = model.pieces.indices.randomElement(using: &generator) ?? 0
    let byte = model.packed[piece].indices.randomElement(using: &generator) ?? 0
    let place = try #require(
      model.reaching.firstIndex { $0.contains { $0 == (piece, byte) } })
    let sharers = model.reaching[place]
    let damaged = try model.damaging(piece: piece, byte: byte)
    let engine = Self.randomEngine(&generator)
    let segments = try Segment.assembling(byteCount: model.expected.count, pieces: damaged.pieces)
    for plan in [FilePlan(segments), FilePlan([damaged.assembly])] {
      guard sharers.count > 1 else {
        try engine.engine.run(plan, into: DiscardingOutput())
        continue
      }
      let error = #expect(throws: CheckpointError.self) {
        try engine.engine.run(plan, into: DiscardingOutput())
      }
      #expect(error?.code == .conflict)
      #expect(error?.message.contains("byte \(place) of") == true)
      let names = Set(sharers.map { "t\($0.piece)" })
      #expect(names.contains(error?.path.last ?? ""))
      let others = names.subtracting([error?.path.last ?? ""])
      let isOwn = error?.message.hasPrefix("elements that share byte") == true
      #expect(isOwn || others.contains { error?.message.contains("'\($0)'") == true })
    }
  }

  @Test(
    "A conflict names both tensors and the lowest byte, with any number of threads",
    arguments: CopyEngineTests.engines)
  func conflict(_ engine: CopyEngineTests.Engine) throws {
    let model = try Model(
      byteCount: 60_100,
      [Self.view(90, [100], [2]), Self.view(100, [30_000], [2]), Self.view(100, [15_000], [4])])
    let damaged = try model.damaging(piece: 2, byte: 20_001).damaging(piece: 1, byte: 48_000)
    for segments in [
      [damaged.assembly], try Segment.assembling(byteCount: 60_100, pieces: damaged.pieces),
    ] {
      let error = #expect(throws: CheckpointError.self) { try Self.run(segments, engine) }
      #expect(error?.code == .conflict)
      #expect(error?.path == [damaged.pieces[2].region.source.name, "t2"])
      #expect(error?.message == "byte 40101 of the storage it shares with 't1' differs")
    }
  }

  @Test("An expanded tensor whose elements differ contradicts itself")
  func selfConflict() throws {
    let model = try Model(byteCount: 200, [Self.view(50, [40, 50], [0, 2])])
    let damaged = try model.damaging(piece: 0, byte: 1007)
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan([damaged.assembly]), into: DiscardingOutput())
    }
    #expect(error?.code == .conflict)
    #expect(error?.message == "elements that share byte 57 of their storage differ")
  }
}
