import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

struct CopyEngineTests {
  /// Working memory and threads: the real amount, and one so small that everything is cut up.
  struct Engine: Sendable, CustomTestStringConvertible {
    let threads: Int
    let memory: Int
    let isSequential: Bool
    var testDescription: String {
      "\(threads) threads, \(memory) bytes\(isSequential ? ", in order" : "")"
    }
    var engine: CopyEngine { CopyEngine(threadCount: threads, workingMemory: memory) }
  }

  static let engines = [1, 2, 3, 64].flatMap { threads in
    [WorkerMemory.total, threads << 9].flatMap { memory in
      [false, true].map { Engine(threads: threads, memory: memory, isSequential: $0) }
    }
  }

  /// A file in pieces of all sizes: whole, in parts, overlapping, repeated, with literals between.
  static func mixedPlan() throws -> (FilePlan, [UInt8]) {
    let bytes = sampleBytes(200_000)
    let whole = try FileRegion.holding(bytes)
    var plan = FilePlan()
    var expected: [UInt8] = []
    func add(_ segment: Segment, _ bytes: some Sequence<UInt8>) {
      plan.append(segment)
      expected += bytes
    }
    for start in stride(from: 0, to: 4000, by: 40) {
      add(.literal([1, 2, 3]), [1, 2, 3])
      add(
        .copy(whole.part(start..<start + 24, of: bytes), range: 0..<24), bytes[start..<start + 24])
    }
    let big = whole.part(5000..<150_001, of: bytes)
    add(.copy(big, range: 0..<100_000), bytes[5000..<105_000])
    add(.literal([]), [])
    add(.copy(big, range: 100_000..<145_001), bytes[105_000..<150_001])
    add(.copy(big, range: 7..<7), [])
    add(.copy(big, range: 3..<12_345), bytes[5003..<17_345])
    add(.copy(whole.part(199_990..<200_000, of: bytes), range: 0..<10), bytes[199_990...])
    add(.copy(whole.part(40..<80, of: bytes), range: 2..<40), bytes[42..<80])
    let literal = sampleBytes(70_001, seed: 2)
    add(.literal(literal), literal)
    return (plan, expected)
  }

  @Test("Any number of threads with any memory writes the same bytes", arguments: engines)
  func mixed(_ configuration: Engine) throws {
    let (plan, expected) = try Self.mixedPlan()
    let output = MemoryOutput(isSequential: configuration.isSequential)
    try configuration.engine.run(plan, into: output)
    #expect(output.bytes == expected)
    #expect(output.isWrittenOnce)
  }

  @Test("A plan without bytes writes none", arguments: [true, false])
  func empty(isSequential: Bool) throws {
    let region = try FileRegion.holding([])
    for plan in [FilePlan(), FilePlan([.literal([]), .copy(region, range: 0..<0)])] {
      let output = MemoryOutput(isSequential: isSequential)
      try CopyEngine().run(plan, into: output)
      #expect(output.bytes == [])
      #expect(output.writeCount == 0)
    }
  }

  @Test("A thousand tiny tensors and their headers are one write", arguments: [false, true])
  func tinySegments(areTransposed: Bool) throws {
    let bytes = sampleBytes(1203 * 72)
    let file = try FileRegion.holding(bytes)
    let elements = StridedElements(
      byteOffset: 0, shape: [2, 2], byteStrides: [2, 4], elementByteCount: 2)
    var plan = FilePlan()
    plan.append(.literal(sampleBytes(3000)))
    var expected = sampleBytes(3000)
    for start in stride(from: 64, to: bytes.count, by: 72) {
      let region = file.part(start..<start + 8, of: bytes)
      let tensor = Array(bytes[start..<start + 8])
      plan.append(areTransposed ? .gather(region, elements) : .copy(region, range: 0..<8))
      expected += areTransposed ? StridedCopyTests.reference(elements, in: tensor) : tensor
    }
    let output = MemoryOutput()
    try CopyEngine(threadCount: 2).run(plan, into: output)
    #expect(output.writeCount == 1)
    #expect(output.isWrittenOnce)
    #expect(output.bytes == expected)
  }

  @Test("Progress never goes back, never overlaps, and ends at the total", arguments: [1, 4])
  func progress(threads: Int) throws {
    struct State {
      var last = 0
      var calls = 0
      var isInside = false
      var problems: [String] = []
    }
    let (plan, _) = try Self.mixedPlan()
    let state = Locked(State())
    let engine = CopyEngine(threadCount: threads, workingMemory: threads << 9) { done, total in
      let isFree = state.withLock { state in
        defer { state.isInside = true }
        return !state.isInside
      }
      state.withLock { state in
        if !isFree { state.problems.append("two reports at once") }
        if done < state.last || done > total { state.problems.append("\(state.last) to \(done)") }
        state.last = done
        state.calls += 1
        state.isInside = false
      }
    }
    try engine.run(plan, into: MemoryOutput())
    let (last, calls, problems) = state.withLock { ($0.last, $0.calls, $0.problems) }
    // A region of 40 bytes is copied in part only and read once more for its checksum; the other
    // partial copies are of regions that are also copied whole.
    #expect(last == plan.byteCount + 40)
    #expect(calls >= 1)
    #expect(problems == [])
  }

  @Test("A segment that asks for bytes its region does not have is refused before any work")
  func outOfBounds() throws {
    let region = try FileRegion.holding(sampleBytes(100))
    let beyond = FileRegion(source: region.source, range: 90..<101, name: "weight")
    let elements = StridedElements(
      byteOffset: 4, shape: [5, 5], byteStrides: [20, 4], elementByteCount: 4)
    let huge = StridedElements(
      byteOffset: 0, shape: [2, 2], byteStrides: [Int.max, 4], elementByteCount: 4)
    let negative = StridedElements(
      byteOffset: 0, shape: [2], byteStrides: [-4], elementByteCount: 4)
    let cases: [(Segment, CheckpointError.Code)] = [
      (.copy(region, range: 0..<101), .malformed),
      (.copy(beyond, range: 0..<11), .truncated),
      (.gather(region, elements), .malformed),
      (.gather(region, huge), .malformed),
      (.gather(region, negative), .malformed),
    ]
    for (segment, code) in cases {
      let output = MemoryOutput()
      let error = #expect(throws: CheckpointError.self) {
        try CopyEngine().run(FilePlan([segment]), into: output)
      }
      #expect(error?.code == code)
      #expect(error?.path == [region.source.name, code == .truncated ? "weight" : region.name])
      #expect(output.writeCount == 0)
    }
  }

  @Test("A source that shrinks is reported as such, where it ends")
  func shrinking() throws {
    let bytes = sampleBytes(100_000)
    let region = try TemporaryFile.shrinking(bytes, to: 60_000) { file in
      FileRegion(source: file, range: 0..<100_000, name: "weight")
    }
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan([.copy(region, range: 0..<100_000)]), into: MemoryOutput())
    }
    #expect(error?.code == .inputOutput)
    #expect(error?.offset == 60_000)
    #expect(error?.message.hasPrefix("the file shrank while it was read") == true)
  }

  @Test(
    "A source that changes while it is read is an error although its bytes fit",
    arguments: [
      true, false,
    ])
  func changing(isDamaged: Bool) throws {
    let directory = try TemporaryDirectory()
    var bytes = sampleBytes(1000)
    try directory.write(bytes, to: "model.pt")
    let file = try FileSource(path: directory / "model.pt")
    let region = FileRegion(
      source: file, range: 0..<1000, crc32: CRC32.checksum(bytes.span), name: "weight")
    if isDamaged { bytes[0] ^= 1 }
    try directory.write(bytes + [0], to: "model.pt")
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan([.copy(region, range: 0..<1000)]), into: MemoryOutput())
    }
    #expect(error?.code == .inputOutput)
    #expect(error?.message == "the file changed while it was read")
    #expect(error?.path == [file.path])
  }

  @Test(
    "Of several damaged regions the first is reported, with any number of threads",
    arguments: [
      1, 2, 8,
    ])
  func firstError(threads: Int) throws {
    let bytes = sampleBytes(64_000)
    let file = try FileRegion.holding(bytes)
    var plan = FilePlan()
    for start in stride(from: 0, to: 64_000, by: 1000) {
      let region = file.part(start..<start + 1000, of: bytes)
      let isDamaged = start == 9000 || start == 10_000 || start == 50_000
      plan.append(.copy(isDamaged ? region.with(crc32: 7) : region, range: 0..<1000))
    }
    for _ in 0..<20 {
      let error = #expect(throws: CheckpointError.self) {
        try CopyEngine(threadCount: threads, workingMemory: threads << 9)
          .run(plan, into: MemoryOutput())
      }
      #expect(error?.path.last == "archive/data/9000")
    }
  }
}
