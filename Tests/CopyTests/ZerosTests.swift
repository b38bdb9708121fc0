import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

struct ZerosTests {
  @Test("Zeros of any number, among other bytes", arguments: CopyEngineTests.engines)
  func counts(_ configuration: CopyEngineTests.Engine) throws {
    var plan = FilePlan()
    var expected: [UInt8] = []
    for count in [0, 1, 63, 64, 65, 4096, 100_000, 3, 1_500_000] {
      plan.append(.literal([0xff]))
      plan.append(.zeros(byteCount: count))
      expected += [0xff] + Array(repeating: 0, count: count)
    }
    #expect(plan.byteCount == expected.count)
    let output = MemoryOutput(isSequential: configuration.isSequential)
    try configuration.engine.run(plan, into: output)
    #expect(output.bytes == expected)
    #expect(output.isWrittenOnce)
  }

  @Test("A record of more zeros than 32 bits count has its checksum")
  func huge() throws {
    let count = (1 << 32) + 5
    let sum = Locked<UInt32?>(nil)
    var plan = FilePlan([.zeros(byteCount: count)])
    let record = plan.closeRecord(from: 0)
    plan.append(
      .computed(byteCount: 1) { sums in
        sum.withLock { $0 = sums[record] }
        return [0]
      })
    try CopyEngine().run(plan, into: DiscardingOutput())
    var expected = CRC32()
    let page = CRC32.checksum([UInt8](repeating: 0, count: 1 << 16).span)
    for _ in 0..<1 << 16 { expected.append(page, byteCount: 1 << 16) }
    expected.append(CRC32.checksum([0, 0, 0, 0, 0].span), byteCount: 5)
    #expect(sum.withLock { $0 } == expected.value)
  }

  @Test("Fewer zeros than none are refused")
  func negative() {
    for segment in [Segment.zeros(byteCount: -1), .assembly(Assembly(byteCount: -1, pieces: []))] {
      let error = #expect(throws: CheckpointError.self) {
        try CopyEngine().run(FilePlan([segment]), into: DiscardingOutput())
      }
      #expect(error?.code == .malformed)
    }
  }
}
