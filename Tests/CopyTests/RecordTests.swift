import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// Fields computed from the checksums of what was written before them, as the ends of ZIP records.
struct RecordTests {
  static func bytes(_ checksum: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) }
  }

  /// Records of every kind of segment, each followed by its checksum, and a last field that depends
  /// on all of them and on a record which is itself computed.
  static func example() throws -> (FilePlan, [UInt8]) {
    let bytes = sampleBytes(60_000)
    let region = try FileRegion.holding(bytes)
    let deflated = try DeflatedRegionTests.region(DeflatedRegionTests.stored)
    let transposed = StridedElements(
      byteOffset: 0, shape: [100, 300], byteStrides: [2, 200], elementByteCount: 2)
    let swapped = StridedElements(
      byteOffset: 0, shape: [30_000], byteStrides: [2], elementByteCount: 2, swapWidth: 2)
    let assembly = AssemblyTests.spread(region.part(0..<20_000, of: bytes))
    let assembled = AssemblyTests.spread(Array(bytes[..<20_000]))
    let contents: [([Segment], [UInt8])] = [
      ([], []),
      ([.literal([])], []),
      ([.literal([1, 2, 3])], [1, 2, 3]),
      ([.literal(bytes)], bytes),
      ([.copy(region, range: 0..<60_000)], bytes),
      (
        [.copy(region, range: 9..<17), .literal([0]), .copy(region, range: 0..<9)],
        bytes[9..<17] + [0] + bytes[0..<9]
      ),
      ([.gather(region, transposed)], StridedCopyTests.reference(transposed, in: bytes)),
      ([.gather(region, swapped)], StridedCopyTests.reference(swapped, in: bytes)),
      (
        [CastTests.widened(region, 0..<6_000), CastTests.widened(region, 4..<20)].compactMap(
          \.self),
        CastTests.widened(Array(bytes[..<6_000]) + bytes[4..<20])
      ),
      (
        [CastTests.widened(region, transposed)].compactMap(\.self),
        CastTests.widened(StridedCopyTests.reference(transposed, in: bytes))
      ),
      ([.zeros(byteCount: 0)], []),
      ([.zeros(byteCount: 5), .literal([1])], [0, 0, 0, 0, 0, 1]),
      ([.zeros(byteCount: 50_000)], Array(repeating: 0, count: 50_000)),
      ([assembly], assembled),
      ([.literal([7]), assembly, .zeros(byteCount: 3)], [7] + assembled + [0, 0, 0]),
      ([.copy(deflated, range: 0..<50_000)], DeflatedRegionTests.bytes),
      ([.copy(deflated, range: 5..<40_000)], Array(DeflatedRegionTests.bytes[5..<40_000])),
    ]
    var plan = FilePlan()
    var expected: [UInt8] = []
    for (segments, bytes) in contents {
      let start = plan.segments.count
      for segment in segments { plan.append(segment) }
      let record = plan.closeRecord(from: start)
      plan.append(.computed(byteCount: 4) { Self.bytes($0[record]) })
      expected += bytes + Self.bytes(referenceCRC32(bytes))
      plan.append(.literal([0xaa]))
      expected.append(0xaa)
    }
    let all = contents.indices
    let start = plan.segments.count
    plan.append(
      .computed(byteCount: 4 * all.count) { sums in all.flatMap { Self.bytes(sums[$0]) } })
    let computed = plan.closeRecord(from: start)
    let sums = contents.flatMap { Self.bytes(referenceCRC32($0.1)) }
    expected += sums
    plan.append(
      .computed(byteCount: 100_000) { sums in
        Array(repeating: Self.bytes(sums[computed]), count: 25_000).flatMap(\.self)
      })
    expected += Array(repeating: Self.bytes(referenceCRC32(sums)), count: 25_000).flatMap(\.self)
    return (plan, expected)
  }

  @Test("Computed fields have the checksums of all records", arguments: CopyEngineTests.engines)
  func computed(_ configuration: CopyEngineTests.Engine) throws {
    let (plan, expected) = try Self.example()
    #expect(plan.byteCount == expected.count)
    let output = MemoryOutput(isSequential: configuration.isSequential)
    try configuration.engine.run(plan, into: output)
    #expect(output.bytes == expected)
    #expect(output.isWrittenThrough)
    let strict = MemoryOutput(isSequential: configuration.isSequential, canOverwrite: false)
    try configuration.engine.run(plan, into: strict)
    #expect(strict.bytes == expected)
    #expect(strict.isWrittenOnce)
  }
}
