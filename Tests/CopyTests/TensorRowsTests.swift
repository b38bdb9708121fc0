import CkptBase
import CkptCopy
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

/// Tensors that are rows of others, and joined ones, by the bytes that a plan has for them.
struct TensorRowsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var dtype = DType.float32
    let shape: [Int]
    let strides: [Int]
    var offset = 0
    var isBigEndian = false
    var isConjugated = false
    var isNegated = false
    var isPacked = false
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "contiguous", shape: [7, 3], strides: [3, 1], offset: 5),
    Case(name: "a vector", dtype: .bfloat16, shape: [40], strides: [1]),
    Case(name: "every third element", dtype: .uint8, shape: [40], strides: [3], offset: 2),
    Case(name: "transposed", shape: [9, 5], strides: [1, 9]),
    Case(name: "permuted", dtype: .float16, shape: [4, 5, 6], strides: [1, 24, 4]),
    Case(name: "rows with gaps", shape: [8, 3], strides: [7, 1], offset: 1),
    Case(name: "overlapping rows", shape: [8, 3], strides: [1, 1]),
    Case(name: "expanded rows", shape: [8, 3], strides: [0, 1], offset: 4),
    Case(name: "big-endian", shape: [7, 3], strides: [3, 1], isBigEndian: true),
    Case(
      name: "big-endian transposed", dtype: .float64, shape: [7, 3], strides: [1, 7],
      isBigEndian: true),
    Case(name: "negated", shape: [7, 3], strides: [3, 1], isNegated: true),
    Case(
      name: "conjugated big-endian", dtype: .complex64, shape: [7, 3], strides: [3, 1],
      isBigEndian: true, isConjugated: true),
    Case(name: "three dimensions", shape: [6, 2, 3], strides: [6, 3, 1]),
    Case(name: "packed in a file", shape: [7, 3], strides: [1, 7], isPacked: true),
    Case(
      name: "packed in a file, of a big-endian archive", shape: [7, 3], strides: [3, 1],
      isBigEndian: true, isNegated: true, isPacked: true),
    Case(name: "single rows", shape: [1, 3], strides: [3, 1]),
    Case(name: "empty rows", shape: [5, 0], strides: [1, 1]),
    Case(name: "no rows", shape: [0, 4], strides: [4, 1]),
    Case(
      name: "no rows and wild strides", shape: [0, 4], strides: [.max, .max], offset: .max / 16),
  ]

  @Test("Rows are the bytes of the rows, and joined they are the tensor", arguments: cases)
  func splitsAndJoins(_ test: Case) throws {
    var graph = TensorGraph()
    let whole = try graph.addTensor(test)
    let bytes = try graph.bytes(of: whole)
    let row = bytes.count / max(test.shape[0], 1)
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<6 {
      let cuts = (0..<3).map { _ in Int.random(in: 0...test.shape[0], using: &generator) }.sorted()
      var parts: [TensorID] = []
      for (start, end) in zip([0] + cuts, cuts + [test.shape[0]]) {
        let part = try graph.addRows(start..<end, of: whole)
        #expect(graph[part].shape == [end - start] + test.shape.dropFirst())
        #expect(try graph.bytes(of: part) == Array(bytes[start * row..<end * row]))
        parts.append(part)
      }
      let joined = try graph.addJoined(parts)
      #expect(graph[joined].shape == test.shape)
      #expect(try graph.bytes(of: joined) == bytes)
      #expect(graph[joined].segments(from: graph).count == (bytes.isEmpty ? 0 : 1))
      let shuffled = parts.shuffled(using: &generator)
      let other = try graph.addJoined(shuffled)
      #expect(try graph.bytes(of: other) == shuffled.flatMap { try graph.bytes(of: $0) })
    }
  }

  @Test("Joined rows of one storage are a view of it, with the storage's strides")
  func joinsToView() throws {
    var graph = TensorGraph()
    let whole = try graph.addTensor(Self.cases[5])
    let upper = try graph.addRows(2..<5, of: whole)
    let lower = try graph.addRows(5..<8, of: whole)
    let id = try graph.addJoined([upper, lower])
    let joined = graph[id]
    #expect(joined.storage == graph[whole].storage)
    #expect(joined.strides == [7, 1])
    #expect(joined.offset == 1 + 2 * 7)
    let count = graph.storages.count
    _ = try graph.addJoined([lower, upper])
    #expect(graph.storages.count == count + 1)
  }

  @Test("Tensors of all forms and byte orders can be joined, and the result be split again")
  func joinsForms() throws {
    var graph = TensorGraph()
    let forms = Self.cases.filter { $0.dtype == .float32 && $0.shape.dropFirst() == [3] }
    let parts = try forms.map { try graph.addTensor($0) }
    #expect(parts.count > 6)
    let joined = try graph.addJoined(parts)
    let bytes = try graph.bytes(of: joined)
    #expect(bytes == (try parts.flatMap { try graph.bytes(of: $0) }))
    let rows = graph[joined].shape[0]
    for start in 0..<rows {
      for end in start...rows {
        let part = try graph.addRows(start..<end, of: joined)
        #expect(graph[part].storage == graph[joined].storage)
        #expect(try graph.bytes(of: part) == Array(bytes[start * 12..<end * 12]))
      }
    }
    let again = try graph.addJoined([
      graph.addRows(0..<4, of: joined), graph.addRows(4..<rows, of: joined),
    ])
    #expect(graph[again].storage == graph[joined].storage)
  }

  @Test("A tensor without data has rows without data")
  func meta() throws {
    var graph = TensorGraph()
    let node = try graph.add(.none)
    graph.add(
      Tensor(node: node, dtype: .float32, shape: [4, 2], strides: [2, 1], offset: 0, storage: nil))
    graph.root = node
    let id = try #require(graph.reachableTensors().first)
    let part = try graph.addRows(1..<3, of: id)
    let joined = try graph.addJoined([part, id])
    #expect(graph[joined].shape == [6, 2])
    #expect(graph[joined].storage == nil)
    #expect(graph[joined].segments(from: graph).isEmpty)
  }

  struct Misfit: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let first: Case
    let second: Case
  }

  static let misfits = [
    Misfit(
      testDescription: "rows of another length", first: cases[0],
      second: Case(name: "", shape: [7, 4], strides: [4, 1])),
    Misfit(
      testDescription: "another dtype", first: cases[0],
      second: Case(name: "", dtype: .int32, shape: [7, 3], strides: [3, 1])),
    Misfit(
      testDescription: "another rank", first: cases[0],
      second: Case(name: "", shape: [3], strides: [1])),
    Misfit(
      testDescription: "scalars", first: Case(name: "", shape: [], strides: []),
      second: Case(name: "", shape: [], strides: [])),
  ]

  @Test("Tensors that do not fit are refused", arguments: misfits)
  func refusesMisfits(_ test: Misfit) throws {
    var graph = TensorGraph()
    let first = try graph.addTensor(test.first)
    let second = try graph.addTensor(test.second)
    let error = #expect(throws: CheckpointError.self) { try graph.addJoined([first, second]) }
    #expect(error?.code == .unsupported)
  }

  @Test("Rows of a scalar, and rows that are not there, are refused")
  func refusesRows() throws {
    var graph = TensorGraph()
    let scalar = try graph.addTensor(Case(name: "", shape: [], strides: []))
    let matrix = try graph.addTensor(Self.cases[0])
    #expect(throws: CheckpointError.self) { try graph.addRows(0..<1, of: scalar) }
    #expect(throws: CheckpointError.self) { try graph.addRows(0..<8, of: matrix) }
    #expect(throws: CheckpointError.self) { try graph.addRows(-1..<2, of: matrix) }
  }

  @Test("A joined tensor of a size beyond 64 bits is refused")
  func refusesOverflow() throws {
    var graph = TensorGraph()
    // Expanded from one element, as a small file may have it.
    let huge = try graph.addTensor(Case(name: "", shape: [1 << 60, 1], strides: [0, 0]))
    let error = #expect(throws: CheckpointError.self) { try graph.addJoined([huge, huge]) }
    #expect(error?.code == .malformed)
    let part = try graph.addRows(5..<1 << 59, of: huge)
    #expect(graph[part].shape == [1 << 59 - 5, 1])
  }
}

extension TensorGraph {
  /// Adds a tensor over a storage of its own, which is a region with bytes before and after.
  fileprivate mutating func addTensor(_ test: TensorRowsTests.Case) throws -> TensorID {
    let node = try add(.none)
    let bytes = sampleBytes(1 << 10, seed: UInt64(tensors.count))
    let region = FileRegion(
      source: try TemporaryFile.holding(bytes), range: 16..<bytes.count, name: "data/0")
    let storage = add(
      Storage(
        key: "\(storages.count)", dtype: test.dtype, location: "cpu", byteCount: region.byteCount,
        region: test.isPacked ? nil : region, isBigEndian: test.isBigEndian))
    add(
      Tensor(
        node: node, dtype: test.dtype, shape: test.shape, strides: test.strides,
        offset: test.offset, storage: storage, isConjugated: test.isConjugated,
        isNegated: test.isNegated))
    guard case .tensor(let id) = self[node] else {
      throw CheckpointError(.unsupported, "no tensor")
    }
    if test.isPacked {
      let range = 16..<16 + self[id].byteCount
      setPacked(FileRegion(source: region.source, range: range, name: "data/0"), of: id)
    }
    return id
  }

  /// The bytes that a plan has for a tensor.
  fileprivate func bytes(of id: TensorID) throws -> [UInt8] {
    let output = MemoryOutput()
    try CopyEngine(threadCount: 1).run(FilePlan(self[id].segments(from: self)), into: output)
    return output.bytes
  }
}
