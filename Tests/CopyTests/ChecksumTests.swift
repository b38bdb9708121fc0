import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// A region's checksum is verified however its bytes are used, and read twice only where it must be.
struct ChecksumTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// Builds the segments of a region of 40,000 bytes.
    let segments: @Sendable (FileRegion) -> [Segment]
    var isInspected = false
    /// The bytes that are read beside those of the output.
    let extraByteCount: Int
    var testDescription: String { name }
  }

  static let transposed = StridedElements(
    byteOffset: 0, shape: [100, 200], byteStrides: [2, 200], elementByteCount: 2)
  static let swapped = StridedElements(
    byteOffset: 0, shape: [100, 200], byteStrides: [400, 2], elementByteCount: 2, swapWidth: 2)

  static let cases = [
    Case(name: "copied whole", segments: { [.copy($0, range: 0..<40_000)] }, extraByteCount: 0),
    Case(
      name: "copied whole twice",
      segments: { [.copy($0, range: 0..<40_000), .copy($0, range: 0..<40_000)] }, extraByteCount: 0
    ),
    Case(
      name: "copied in parts, the last first",
      segments: { region in
        [30_000..<40_000, 7..<30_000, 0..<7].map { .copy(region, range: $0) }
      }, extraByteCount: 0),
    Case(
      name: "copied in parts, some of them twice",
      segments: { region in
        [0..<10, 0..<25_000, 25_000..<40_000, 25_000..<40_000].map { .copy(region, range: $0) }
      }, extraByteCount: 0),
    Case(
      name: "copied in parts that overlap",
      segments: { [.copy($0, range: 0..<30_000), .copy($0, range: 29_999..<40_000)] },
      extraByteCount: 40_000),
    Case(
      name: "copied but for a byte", segments: { [.copy($0, range: 1..<40_000)] },
      extraByteCount: 40_000),
    Case(name: "transposed", segments: { [.gather($0, transposed)] }, extraByteCount: 40_000),
    Case(
      name: "transposed twice", segments: { [.gather($0, transposed), .gather($0, transposed)] },
      extraByteCount: 40_000),
    Case(
      name: "transposed and copied",
      segments: { [.gather($0, transposed), .copy($0, range: 0..<40_000)] }, extraByteCount: 0),
    Case(
      name: "spread", segments: { [AssemblyTests.spread($0)] }, extraByteCount: 40_000),
    Case(
      name: "spread and copied",
      segments: { [AssemblyTests.spread($0), .copy($0, range: 0..<40_000)] }, extraByteCount: 0),
    Case(name: "byte-swapped", segments: { [.gather($0, swapped)] }, extraByteCount: 0),
    Case(
      name: "only inspected", segments: { _ in [.literal([1])] }, isInspected: true,
      extraByteCount: 40_000),
    Case(
      name: "inspected and copied", segments: { [.copy($0, range: 0..<40_000)] },
      isInspected: true, extraByteCount: 0),
    Case(
      name: "nothing taken", segments: { [.copy($0, range: 5..<5)] }, extraByteCount: 40_000),
  ]

  static func run(
    _ example: Case, _ region: FileRegion, _ configuration: CopyEngineTests.Engine
  ) throws -> Int {
    var plan = FilePlan(example.segments(region))
    if example.isInspected {
      plan.inspect(region)
      plan.inspect(region)
    }
    let total = Locked(0)
    let engine = CopyEngine(
      threadCount: configuration.threads, workingMemory: configuration.memory
    ) { _, bytes in total.withLock { $0 = bytes } }
    try engine.run(plan, into: MemoryOutput(isSequential: configuration.isSequential))
    return total.withLock { $0 } - plan.byteCount
  }

  @Test("An intact region passes and is read no more than it must be", arguments: cases)
  func intact(_ example: Case) throws {
    let region = try FileRegion.holding(sampleBytes(40_000))
    for engine in CopyEngineTests.engines {
      #expect(try Self.run(example, region, engine) == example.extraByteCount)
    }
    #expect(try Self.run(example, region.with(crc32: nil), CopyEngineTests.engines[0]) == 0)
  }

  @Test("A damaged region is named with both checksums", arguments: cases)
  func damaged(_ example: Case) throws {
    var bytes = sampleBytes(40_000)
    let stored = CRC32.checksum(bytes.span)
    bytes[12_345] ^= 4
    let region = try FileRegion.holding(bytes).with(crc32: stored)
    for engine in CopyEngineTests.engines {
      let error = #expect(throws: CheckpointError.self) {
        try Self.run(example, region, engine)
      }
      #expect(error?.code == .checksumMismatch)
      #expect(error?.path == [region.source.name, "archive/data/0"])
      let computed = String(referenceCRC32(bytes), radix: 16)
      #expect(
        error?.message == "the stored CRC-32 is \(String(stored, radix: 16)), but the data has "
          + "\(computed): the file was damaged after it was written")
    }
  }

  @Test("A checksum is printed with all of its digits")
  func digits() throws {
    let region = try FileRegion.holding(Array("123456789".utf8)).with(crc32: 0xa5)
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan([.copy(region, range: 0..<9)]), into: MemoryOutput())
    }
    #expect(
      error?.message.hasPrefix("the stored CRC-32 is 000000a5, but the data has cbf43926:") == true)
  }

  @Test("A region without bytes has the checksum zero or is damaged")
  func empty() throws {
    let region = try FileRegion.holding([])
    let plan = FilePlan([.copy(region.with(crc32: 1), range: 0..<0)])
    #expect(throws: CheckpointError.self) { try CopyEngine().run(plan, into: MemoryOutput()) }
    try CopyEngine().run(FilePlan([.copy(region, range: 0..<0)]), into: MemoryOutput())
  }

  @Test("Two descriptions of the same bytes are each held to their own checksum")
  func contradiction() throws {
    let region = try FileRegion.holding(sampleBytes(100))
    let plan = FilePlan([
      .copy(region.with(crc32: nil), range: 0..<100), .copy(region, range: 0..<100),
      .copy(region.with(crc32: 1), range: 0..<50),
    ])
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(plan, into: MemoryOutput())
    }
    #expect(error?.code == .checksumMismatch)
  }
}
