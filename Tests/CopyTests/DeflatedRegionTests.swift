import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

struct DeflatedRegionTests {
  static let bytes = sampleBytes(50_000)

  /// A region whose stream lies between other bytes of its file.
  static func region(
    _ stream: [UInt8], byteCount: Int = bytes.count, crc32: UInt32? = CRC32.checksum(bytes.span)
  ) throws -> FileRegion {
    let file = try TemporaryFile.holding(sampleBytes(100) + stream + sampleBytes(100))
    return FileRegion(
      source: file, range: 100..<100 + stream.count, encoding: .deflated, byteCount: byteCount,
      crc32: crc32, name: "archive/data/7")
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let segments: @Sendable (FileRegion) -> [Segment]
    /// The bytes that are decoded into a temporary file, or only to be checked.
    let extraByteCount: Int
    var testDescription: String { name }
  }

  static let transposed = StridedElements(
    byteOffset: 0, shape: [100, 250], byteStrides: [2, 200], elementByteCount: 2)

  static let cases = [
    Case(name: "whole", segments: { [.copy($0, range: 0..<50_000)] }, extraByteCount: 0),
    Case(
      name: "whole, twice",
      segments: { [.copy($0, range: 0..<50_000), .literal([9]), .copy($0, range: 0..<50_000)] },
      extraByteCount: 0),
    Case(
      name: "in part", segments: { [.copy($0, range: 100..<30_000)] }, extraByteCount: 50_000),
    Case(
      name: "whole and in part",
      segments: { [.copy($0, range: 0..<50_000), .copy($0, range: 1..<2)] }, extraByteCount: 50_000
    ),
    Case(name: "transposed", segments: { [.gather($0, transposed)] }, extraByteCount: 50_000),
    Case(
      name: "spread", segments: { [AssemblyTests.spread($0)] }, extraByteCount: 50_000),
    Case(
      name: "cast", segments: { CastTests.widened($0, 0..<50_000).map { [$0] } ?? [] },
      extraByteCount: 50_000),
    Case(name: "nothing", segments: { [.copy($0, range: 7..<7)] }, extraByteCount: 50_000),
  ]

  static func expected(_ segments: [Segment]) -> [UInt8] {
    segments.flatMap { (segment: Segment) -> [UInt8] in
      switch segment {
      case .literal(let literal): literal
      case .copy(_, let range): Array(bytes[range])
      case .gather(_, let elements): StridedCopyTests.reference(elements, in: bytes)
      case .cast(_, let elements, _):
        CastTests.widened(StridedCopyTests.reference(elements, in: bytes))
      case .assembly: AssemblyTests.spread(bytes)
      case .zeros, .computed: []
      }
    }
  }

  @Test("A deflated region is decoded however it is used", arguments: cases)
  func decoded(_ example: Case) throws {
    let region = try Self.region(Deflate.stored(Self.bytes, blockByteCount: 777))
    for configuration in CopyEngineTests.engines {
      let segments = example.segments(region)
      let output = MemoryOutput(isSequential: configuration.isSequential)
      try configuration.engine.run(FilePlan(segments), into: output)
      #expect(output.bytes == Self.expected(segments))
      #expect(output.isWrittenOnce)
    }
    let engine = CopyEngineTests.Engine(threads: 2, memory: 1 << 20, isSequential: false)
    let counted = ChecksumTests.Case(
      name: example.name, segments: example.segments, extraByteCount: 0)
    #expect(try ChecksumTests.run(counted, region, engine) == example.extraByteCount)
  }

  @Test("A highly compressed region is decoded in bounded pieces")
  func zeros() throws {
    let zeros = [UInt8](repeating: 0, count: 1 + 258 * 1000)
    let region = try Self.region(
      Deflate.zeros(runs: 1000), byteCount: zeros.count, crc32: CRC32.checksum(zeros.span))
    for configuration in CopyEngineTests.engines {
      let output = MemoryOutput(isSequential: configuration.isSequential)
      try configuration.engine.run(
        FilePlan([.copy(region, range: 0..<zeros.count)]), into: output)
      #expect(output.bytes == zeros)
    }
  }

  @Test("A deflated region without bytes decodes to none")
  func empty() throws {
    let region = try Self.region(Deflate.stored([]), byteCount: 0, crc32: 0)
    let output = MemoryOutput()
    try CopyEngine().run(FilePlan([.copy(region, range: 0..<0)]), into: output)
    #expect(output.writeCount == 0)
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let stream: [UInt8]
    var byteCount = 50_000
    var crc32: UInt32?
    let code: CheckpointError.Code
    let message: String
    var testDescription: String { name }
  }

  static let stored = Deflate.stored(bytes)
  static let faults = [
    Fault(
      name: "longer than announced", stream: stored, byteCount: 49_999, code: .malformed,
      message: "the data inflates to more than its size of 49999 bytes"),
    Fault(
      name: "much longer than announced", stream: stored, byteCount: 3, code: .malformed,
      message: "the data inflates to more than its size of 3 bytes"),
    Fault(
      name: "longer than nothing", stream: stored, byteCount: 0, code: .malformed,
      message: "the data inflates to more than its size of 0 bytes"),
    Fault(
      name: "shorter than announced", stream: stored, byteCount: 50_001, code: .malformed,
      message: "the data inflates to 50000 of 50001 bytes, with 0 compressed bytes "
        + "left over"),
    Fault(
      name: "bytes after its end", stream: stored + [0, 0, 0], code: .malformed,
      message: "the data inflates to 50000 of 50000 bytes, with 3 compressed bytes "
        + "left over"),
    Fault(
      name: "cut short", stream: Array(stored.dropLast(1000)), code: .truncated,
      message: "the compressed data ends after 49000 decoded bytes"),
    Fault(
      name: "no bytes at all", stream: [], code: .truncated,
      message: "the compressed data ends after 0 decoded bytes"),
    Fault(
      name: "not deflate", stream: [0xff, 1, 2, 3], code: .malformed,
      message: "the compressed data is damaged: invalid block type"),
    Fault(
      name: "wrong checksum", stream: stored, crc32: 1, code: .checksumMismatch,
      message: "the stored CRC-32 is 00000001, but the data has "
        + "\(String(referenceCRC32(bytes), radix: 16)): the file was damaged after it was written"),
  ]

  @Test("A stream that is not what it should be is refused by name", arguments: faults)
  func faulty(_ fault: Fault) throws {
    let region = try Self.region(fault.stream, byteCount: fault.byteCount, crc32: fault.crc32)
    var inspecting = FilePlan([.literal([1])])
    inspecting.inspect(region)
    var plans = [FilePlan([.copy(region, range: 0..<region.byteCount)])]
    if region.byteCount > 1 { plans.append(FilePlan([.copy(region, range: 0..<1)])) }
    if region.crc32 != nil || fault.code != .checksumMismatch { plans.append(inspecting) }
    for configuration in CopyEngineTests.engines {
      for plan in plans {
        let error = #expect(throws: CheckpointError.self) {
          try configuration.engine.run(
            plan, into: MemoryOutput(isSequential: configuration.isSequential))
        }
        #expect(error?.code == fault.code)
        #expect(error?.message == fault.message)
        #expect(error?.path == [region.source.name, "archive/data/7"])
      }
    }
  }

  @Test("The temporary file lies beside the output and is gone afterwards")
  func spool() throws {
    let directory = try TemporaryDirectory()
    let region = try Self.region(Self.stored)
    let output = try StagedOutput(path: directory / "out")
    try CopyEngine().run(FilePlan([.gather(region, Self.transposed)]), into: output)
    #expect(directory.names == [])
    try output.commit()
    #expect(directory.names == ["out"])
    #expect(
      directory.bytes(of: "out") == StridedCopyTests.reference(Self.transposed, in: Self.bytes))
  }
}
