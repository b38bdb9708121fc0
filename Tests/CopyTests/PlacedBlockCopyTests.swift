import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// Tensors that consist of blocks in a box, by the bytes that a plan has for them.
struct PlacedBlockCopyTests {
  /// The form in which a file has the elements of a block.
  enum Form: CaseIterable {
    case packed, withGaps, transposed, bigEndian, negated, deflated
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var dtype = DType.float32
    /// The sizes of the parts along each dimension.
    let cuts: [[Int]]
    /// The forms that the blocks have, in turn.
    var forms: [Form] = [.packed]

    var shape: [Int] { cuts.map { $0.reduce(0, +) } }
  }

  static let cases = [
    Case(testDescription: "one block", cuts: [[30], [20]]),
    Case(testDescription: "rows", cuts: [[10, 5, 15], [20]]),
    Case(testDescription: "columns", cuts: [[30], [8, 8, 4]]),
    Case(testDescription: "an even grid", cuts: [[20, 20], [16, 16, 16]]),
    Case(testDescription: "an uneven grid", dtype: .bfloat16, cuts: [[1, 17, 6], [3, 40, 1]]),
    Case(testDescription: "empty parts", cuts: [[0, 12, 0, 9], [0, 5, 7, 0]]),
    Case(testDescription: "three dimensions", dtype: .uint8, cuts: [[3, 4], [5, 1, 6], [2, 9]]),
    Case(testDescription: "the last of three", dtype: .float64, cuts: [[7], [8], [3, 5, 2]]),
    Case(testDescription: "the middle of three", cuts: [[7], [3, 5, 2], [8]]),
    Case(
      testDescription: "four dimensions", dtype: .int16, cuts: [[2, 1], [3], [1, 4], [2, 2]]),
    Case(testDescription: "a vector", cuts: [[100, 1, 399]]),
    Case(testDescription: "wide", cuts: [[2, 3], [3000, 2999]]),
    Case(
      testDescription: "views", cuts: [[20, 20], [16, 16, 16]], forms: [.withGaps, .transposed]),
    Case(
      testDescription: "byte orders and signs", cuts: [[20, 20], [16, 16, 16]],
      forms: [.bigEndian, .negated, .packed]),
    Case(
      testDescription: "compressed", cuts: [[20, 20], [16, 16, 16]], forms: [.deflated, .packed]),
  ]

  /// Blocks of a tensor, and its bytes.
  struct Model {
    let shape: [Int]
    let dtype: DType
    let bytes: [UInt8]
    var blocks: [PlacedBlocks.Block] = []

    init(_ test: Case, seed: UInt64 = 3) throws {
      shape = test.shape
      dtype = test.dtype
      bytes = sampleBytes(shape.reduce(dtype.byteCount, *), seed: seed)
      var places: [(origin: [Int], shape: [Int])] = [([], [])]
      for cuts in test.cuts {
        places = places.flatMap { place in
          var start = 0
          return cuts.map { count in
            defer { start += count }
            return (place.origin + [start], place.shape + [count])
          }
        }
      }
      for (number, place) in places.enumerated().reversed() {
        let form = test.forms[number % test.forms.count]
        blocks.append(
          PlacedBlocks.Block(
            try block(place.origin, place.shape, form, named: "b\(number)"), at: place.origin))
      }
    }

    /// The bytes of an element.
    private func element(_ index: [Int]) -> [UInt8] {
      let number = zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
      return Array(bytes[number * dtype.byteCount..<(number + 1) * dtype.byteCount])
    }

    private func block(
      _ origin: [Int], _ extents: [Int], _ form: Form, named name: String
    ) throws -> ElementBlock {
      var strides = extents.indices.map { extents[($0 + 1)...].reduce(1, *) }
      if form == .transposed {
        strides = extents.indices.map { extents[..<$0].reduce(1, *) }
      } else if form == .withGaps {
        strides = strides.map { 3 * $0 }
      }
      let width = dtype.byteCount
      let offset = 5
      let end = zip(extents, strides).reduce(offset + 1) { $0 + max(0, $1.0 - 1) * $1.1 }
      var stored = sampleBytes((end + 2) * width, seed: 50)
      var index = extents.map { _ in 0 }
      for _ in 0..<extents.reduce(1, *) {
        var bytes = element(zip(origin, index).map { $0 + $1 })
        if form == .negated { bytes[width - 1] ^= 0x80 }
        if form == .bigEndian { bytes.reverse() }
        let place = (offset + zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }) * width
        stored.replaceSubrange(place..<place + width, with: bytes)
        for dimension in extents.indices.reversed() {
          index[dimension] += 1
          if index[dimension] < extents[dimension] { break }
          index[dimension] = 0
        }
      }
      var region = try FileRegion.holding(stored, name: name)
      if form == .deflated {
        let stream = Deflate.stored(stored)
        region = FileRegion(
          source: try TemporaryFile.holding(stream), range: 0..<stream.count, encoding: .deflated,
          byteCount: stored.count, crc32: region.crc32, name: name)
      }
      var block = ElementBlock(packed: region, dtype: dtype, shape: extents)
      block.strides = strides
      block.offset = offset
      block.isBigEndian = form == .bigEndian
      block.isNegated = form == .negated
      return block
    }
  }

  private static func add(_ model: Model, to graph: inout TensorGraph) throws -> TensorID {
    let node = try graph.add(.none)
    let storage = graph.add(
      Storage(
        key: "0", dtype: model.dtype, location: "cpu", byteCount: model.bytes.count, region: nil,
        isBigEndian: false, blocks: try PlacedBlocks(model.blocks, in: model.shape)))
    let strides = model.shape.indices.map { model.shape[($0 + 1)...].reduce(1, *) }
    graph.add(
      Tensor(
        node: node, dtype: model.dtype, shape: model.shape, strides: strides, offset: 0,
        storage: storage))
    guard case .tensor(let id) = graph[node] else {
      throw CheckpointError(.unsupported, "no tensor")
    }
    return id
  }

  private static let engines = CopyEngineTests.engines.filter { $0.threads < 4 }

  private static func expect(
    _ id: TensorID, of graph: TensorGraph, toBe expected: [UInt8]
  ) throws {
    for configuration in engines {
      var plan = FilePlan()
      plan.append(.literal([7]))
      let start = plan.segments.count
      for segment in graph[id].segments(from: graph) { plan.append(segment) }
      let record = plan.closeRecord(from: start)
      plan.append(
        .computed(byteCount: 4) { sums in (0..<4).map { UInt8(sums[record] >> ($0 * 8) & 0xff) } })
      let output = MemoryOutput(isSequential: configuration.isSequential)
      try configuration.engine.run(plan, into: output)
      let sum = CRC32.checksum(expected.span)
      #expect(
        output.bytes == [7] + expected + (0..<4).map { UInt8(sum >> ($0 * 8) & 0xff) },
        "\(configuration)")
    }
  }

  private static func cast(_ bytes: [UInt8], _ cast: ElementCast) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: cast.byteCount(after: bytes.count))
    var elements = result.mutableSpan
    var span = elements.mutableBytes
    CastKernels.cast(bytes.span.bytes, into: &span, cast)
    return result
  }

  // MARK: Whole tensors

  @Test("Blocks are put where they belong, in any memory and order", arguments: cases)
  func whole(_ test: Case) throws {
    let model = try Model(test)
    var graph = TensorGraph()
    let id = try Self.add(model, to: &graph)
    try Self.expect(id, of: graph, toBe: model.bytes)
  }

  @Test("Rows of a tensor of blocks are its rows", arguments: cases)
  func rows(_ test: Case) throws {
    let model = try Model(test)
    var graph = TensorGraph()
    let id = try Self.add(model, to: &graph)
    let width = model.bytes.count / model.shape[0]
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<4 {
      let first = Int.random(in: 0...model.shape[0], using: &generator)
      let last = Int.random(in: first...model.shape[0], using: &generator)
      let part = try graph.addRows(first..<last, of: id)
      let again = try graph.addRows(0..<last - first, of: part)
      try Self.expect(again, of: graph, toBe: Array(model.bytes[first * width..<last * width]))
    }
  }

  @Test("Elements of blocks are cast", arguments: cases.filter { $0.dtype == .float32 })
  func casts(_ test: Case) throws {
    let model = try Model(test)
    var graph = TensorGraph()
    let id = try Self.add(model, to: &graph)
    let rows = try graph.addRows(1..<model.shape[0], of: id)
    graph.castFloats(to: .bfloat16)
    let cast = try #require(ElementCast(from: .float32, to: .bfloat16))
    try Self.expect(id, of: graph, toBe: Self.cast(model.bytes, cast))
    let start = model.bytes.count / model.shape[0]
    try Self.expect(rows, of: graph, toBe: Self.cast(Array(model.bytes[start...]), cast))
  }

  @Test("Tensors of blocks are joined by their rows, of several types once they are cast")
  func joined() throws {
    var graph = TensorGraph()
    let upper = try Model(Case(testDescription: "", cuts: [[4, 5], [8, 9]]))
    let lower = try Model(
      Case(testDescription: "", dtype: .bfloat16, cuts: [[7], [3, 10, 4]]), seed: 8)
    let last = try Model(Case(testDescription: "", cuts: [[2, 6], [17]]), seed: 9)
    let parts = try [upper, lower, last].map { try Self.add($0, to: &graph) }
    graph.castFloats(to: .float16)
    let id = try graph.addJoined(parts)
    let expected = try [upper, lower, last].flatMap { model in
      Self.cast(model.bytes, try #require(ElementCast(from: model.dtype, to: .float16)))
    }
    #expect(graph[id].shape == [24, 17])
    try Self.expect(id, of: graph, toBe: expected)
    let middle = try graph.addRows(8..<19, of: id)
    try Self.expect(middle, of: graph, toBe: Array(expected[8 * 34..<19 * 34]))
  }

  // MARK: Work

  @Test("Blocks of whole rows are copied, and only blocks beside each other put together")
  func segments() throws {
    var graph = TensorGraph()
    let rows = try Self.add(Model(Self.cases[1]), to: &graph)
    for segment in graph[rows].segments(from: graph) {
      guard case .copy = segment else {
        Issue.record("\(segment) is no copy")
        continue
      }
    }
    let grid = try Self.add(Model(Self.cases[3]), to: &graph)
    let segments = graph[grid].segments(from: graph)
    #expect(segments.map(\.byteCount) == [20 * 48 * 4, 20 * 48 * 4])
    for segment in segments {
      guard case .assembly(let assembly) = segment else {
        Issue.record("\(segment) is no assembly")
        continue
      }
      #expect(assembly.pieces.count == 3)
    }
  }

  /// A source that counts how often it is read.
  private final class CountingSource: ByteSource {
    let name = "counted"
    var byteCount: Int { source.byteCount }
    let reads = Locked(0)
    private let source: MemorySource<UInt8>

    init(_ bytes: [UInt8]) { source = MemorySource(bytes, name: name) }

    func read(
      at offset: Int, into buffer: inout MutableRawSpan
    ) throws(CheckpointError) -> Int {
      reads.withLock { $0 += 1 }
      return try source.read(at: offset, into: &buffer)
    }

    func requireUnchanged() throws(CheckpointError) {}
  }

  @Test("Rows of a block that follow each other are read together")
  func reads() throws {
    // Two halves of 1,024 rows of 512 bytes.
    let source = CountingSource(sampleBytes(262_144) + sampleBytes(262_144, seed: 4))
    var blocks: [PlacedBlocks.Block] = []
    for (number, start) in [0, 262_144].enumerated() {
      let region = FileRegion(source: source, range: start..<start + 262_144, name: "half")
      blocks.append(
        PlacedBlocks.Block(
          ElementBlock(packed: region, dtype: .uint8, shape: [1024, 256]), at: [0, 256 * number]))
    }
    var graph = TensorGraph()
    let node = try graph.add(.none)
    let storage = graph.add(
      Storage(
        key: "0", dtype: .uint8, location: "cpu", byteCount: 524_288, region: nil,
        isBigEndian: false, blocks: try PlacedBlocks(blocks, in: [1024, 512])))
    let tensor = Tensor(
      node: node, dtype: .uint8, shape: [1024, 512], strides: [512, 1], offset: 0,
      storage: storage)
    let output = MemoryOutput()
    try CopyEngine(threadCount: 1).run(FilePlan(tensor.segments(from: graph)), into: output)
    let (left, right) = (sampleBytes(262_144), sampleBytes(262_144, seed: 4))
    var expected: [UInt8] = []
    for start in stride(from: 0, to: 262_144, by: 256) {
      expected += left[start..<start + 256]
      expected += right[start..<start + 256]
    }
    #expect(output.bytes == expected)
    #expect(source.reads.withLock { $0 } <= 8)
  }

  // MARK: Damage

  @Test("A damaged block is told by its name")
  func damage() throws {
    var model = try Model(Self.cases[3])
    model.blocks[2].elements.region = model.blocks[2].elements.region.with(crc32: 1)
    var graph = TensorGraph()
    let id = try Self.add(model, to: &graph)
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan(graph[id].segments(from: graph)), into: MemoryOutput())
    }
    #expect(error?.code == .checksumMismatch)
    #expect(error?.path.last == "b3")
  }

  @Test("A block whose region is too short is refused")
  func short() throws {
    var model = try Model(Self.cases[3])
    let region = model.blocks[2].elements.region
    model.blocks[2].elements.region = FileRegion(
      source: region.source, range: 0..<100, name: region.name)
    var graph = TensorGraph()
    let id = try Self.add(model, to: &graph)
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan(graph[id].segments(from: graph)), into: MemoryOutput())
    }
    #expect(error?.code == .malformed)
    #expect(error?.path.last == "b3")
  }
}
