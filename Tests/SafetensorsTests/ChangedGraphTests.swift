import CkptBase
import CkptCopy
import CkptContainer
import CkptGraph
import CkptPlan
import CkptSafetensors
import CkptTestSupport
import Testing
import CkptTorch

/// Graphs whose tensors were split, joined and cast, in files of both formats.
struct ChangedGraphTests {
  private static let values: [Float16] = [0, 1, -2.5, 65504, 0.1, 3, 4, 5, 6, 7, 8, 9]

  private static func bytes(_ values: [Float16], bigEndian: Bool = false) -> [UInt8] {
    values.flatMap { value in
      let bytes = littleEndian(value.bitPattern)
      return bigEndian ? bytes.reversed() : bytes
    }
  }

  /// A matrix of six rows, of two storages and byte orders; the second lies transposed and has its
  /// signs flipped.
  private static func joined(_ graph: inout TensorGraph) throws -> TensorID {
    let upper = try tensor(in: &graph, [4, 2], strides: [2, 1], bytes(Array(values[..<8])))
    let lower = try tensor(
      in: &graph, [2, 2], strides: [1, 2],
      bytes([values[8], values[10], values[9], values[11]].map { -$0 }, bigEndian: true),
      bigEndian: true, negated: true)
    return try graph.addJoined([upper, lower])
  }

  private static func tensor(
    in graph: inout TensorGraph, _ shape: [Int], strides: [Int], _ bytes: [UInt8],
    bigEndian: Bool = false, negated: Bool = false
  ) throws -> TensorID {
    let region = FileRegion(
      source: try TemporaryFile.holding([7] + bytes), range: 1..<1 + bytes.count, name: "data/0")
    let storage = graph.add(
      Storage(
        key: "0", dtype: .float16, location: "cpu", byteCount: bytes.count, region: region,
        isBigEndian: bigEndian))
    let node = try graph.add(.none)
    graph.add(
      Tensor(
        node: node, dtype: .float16, shape: shape, strides: strides, offset: 0, storage: storage,
        isNegated: negated))
    guard case .tensor(let id) = graph[node] else {
      throw CheckpointError(.unsupported, "no tensor")
    }
    return id
  }

  /// A dict with a joined matrix under two names, and with rows of it.
  private static func checkpoint(cast dtype: DType? = nil) throws -> Checkpoint {
    var graph = TensorGraph()
    let whole = try joined(&graph)
    let rows = try graph.addRows(3..<5, of: whole)
    let entries = try [("whole", whole), ("tied", whole), ("rows", rows)].map { name, id in
      (key: try graph.addString(name), value: graph[id].node)
    }
    graph.root = try graph.addDict(entries)
    if let dtype { graph.castFloats(to: dtype) }
    return Checkpoint(
      graph: graph,
      container: nil)
  }

  private static func file(_ plan: FilePlan) throws -> FileSource {
    let directory = try TemporaryDirectory()
    let output = try StagedOutput(path: directory / "out")
    try CopyEngine(threadCount: 2).run(plan, into: output)
    return try output.makeSource()
  }

  /// The values of every entry of a dict of tensors.
  private static func contents(of graph: TensorGraph) throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for (key, value) in try #require(graph.entries(of: graph.root)) {
      guard case .tensor(let id) = graph[value], let name = graph.string(key) else { continue }
      var plan = FilePlan()
      for segment in graph[id].segments(from: graph) { plan.append(segment) }
      contents[name] = try file(plan).bytes(in: 0..<plan.byteCount)
    }
    return contents
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let dtype: DType?
    let bytes: @Sendable (Float16) -> [UInt8]
    var testDescription: String { dtype?.name ?? "not cast" }
  }

  static let cases = [
    Case(dtype: nil) { littleEndian($0.bitPattern) },
    Case(dtype: .float32) { littleEndian(Float($0).bitPattern) },
    Case(dtype: .bfloat16) { value in
      // Nearest even by way of the integer that the bits are; there is no NaN among the values.
      let bits = Float(value).bitPattern
      let up = bits & 0xffff > 0x8000 || bits & 0xffff == 0x8000 && bits & 0x1_0000 != 0
      return littleEndian(UInt16(bits >> 16) + (up ? 1 : 0))
    },
  ]

  private static func expected(_ test: Case) -> [String: [UInt8]] {
    let whole = values.flatMap(test.bytes)
    return ["whole": whole, "tied": whole, "rows": values[6..<10].flatMap(test.bytes)]
  }

  @Test("A safetensors file has the values, with a skeleton and without", arguments: cases)
  func safetensors(_ test: Case) throws {
    let checkpoint = try Self.checkpoint(cast: test.dtype)
    for includesSkeleton in [false, true] {
      let encoding = try SafetensorsEncoder.encode(
        checkpoint, options: .init(includesSkeleton: includesSkeleton, tied: .copy))
      #expect(encoding.warnings.isEmpty)
      let read = try SafetensorsReader.read(Self.file(encoding.plan))
      #expect(try Self.contents(of: read.graph) == Self.expected(test))
      #expect(read.graph.tensors.allSatisfy { $0.dtype == test.dtype ?? .float16 })
      #expect(read.warnings.isEmpty)
    }
  }

  @Test("A .pt file has the values, ties and rows as views of one storage", arguments: cases)
  func torch(_ test: Case) throws {
    let checkpoint = try Self.checkpoint(cast: test.dtype)
    let plan = try TorchEncoder.encode(checkpoint, options: .init(prefix: "a")).plan
    let graph = try TorchReader.read(Self.file(plan)).graph
    #expect(try Self.contents(of: graph) == Self.expected(test))
    let entries = try #require(graph.entries(of: graph.root))
    #expect(entries[0].value == entries[1].value)
  }

  @Test("A cast keeps ties, objects and what is no floating-point number")
  func castKeeps() throws {
    let object: PickledValue = [
      "a": .tensor(.storage("FloatStorage", 4), [4], requiresGradient: true),
      "tied": .tensor(.storage("FloatStorage", 4), [4]),
      "part": .tensor(.storage("FloatStorage", 4), [2], offset: 1),
      "count": .tensor(.storage("LongStorage", 1, key: "1"), []),
      "half": .tensor(.storage("HalfStorage", 2, key: "2"), [2]),
      "storage": .storage("FloatStorage", 4),
    ]
    let archive = ZipBuilder.torch(
      pickle: object.pickle(),
      storages: [Array(repeating: 1, count: 16), Array(repeating: 2, count: 8), [0, 60, 0, 64]])
    var graph = try TorchReader.read(TemporaryFile.holding(archive.bytes())).graph
    let before = try #require(graph.entries(of: graph.root)).map(\.value)
    graph.castFloats(to: .float16)
    let entries = try #require(graph.entries(of: graph.root))
    #expect(entries.map(\.value) == before)
    let tensors = entries.compactMap { entry -> Tensor? in
      guard case .tensor(let id) = graph[entry.value] else { return nil }
      return graph[id]
    }
    #expect(tensors.map(\.dtype) == [.float16, .float16, .float16, .int64, .float16, .float32])
    #expect(tensors[0].requiresGradient && !tensors[1].requiresGradient)
    #expect(tensors[0].storage == tensors[1].storage)
    #expect(tensors[0].storage != tensors[2].storage)
    #expect(graph[try #require(tensors[4].storage)].region != nil)
  }
}
