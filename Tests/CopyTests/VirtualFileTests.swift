import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

@Suite("Files that are planned and not written")
struct VirtualFileTests {
  /// A source whose bytes tell their places.
  private static let source = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
  /// A literal, a long copy, zeros, a short copy and the checksum of all.
  private static func plan(_ file: any ByteSource, hasRecord: Bool) -> FilePlan {
    let region = FileRegion(source: file, range: 100..<20_000, name: "source")
    var plan = FilePlan()
    plan.append(.literal(Array("head".utf8)))
    plan.append(.copy(region, range: 50..<9050))
    plan.append(.zeros(byteCount: 10))
    plan.append(.copy(region, range: 5..<25))
    if hasRecord {
      let record = plan.closeRecord(from: 0)
      plan.append(.computed(byteCount: 4) { littleEndian($0[record]) })
    }
    return plan
  }

  private static func bytes(of plan: FilePlan) throws -> [UInt8] {
    let output = try TemporaryOutput(in: Syscalls.temporaryDirectory())
    try CopyEngine(threadCount: 1).run(plan, into: output)
    let file = try output.makeSource()
    return try file.bytes(in: 0..<file.byteCount)
  }

  @Test("Long copies read as zeros but for their first bytes", arguments: [false, true])
  func leavesOut(hasRecord: Bool) throws {
    let plan = try Self.plan(TemporaryFile.holding(Self.source), hasRecord: hasRecord)
    var expected = try Self.bytes(of: plan)
    #expect(try VirtualFile(plan, omittingData: false).file.bytes(in: 0..<10_000) == expected)
    for index in 12..<9004 { expected[index] = 0 }
    #expect(
      try VirtualFile(plan, budget: CopyBudget(threads: 2)).file.bytes(in: 0..<10_000) == expected)
  }

  @Test("A plan that takes from such a file takes from the originals", arguments: [false, true])
  func readsThrough(hasRecord: Bool) throws {
    let plan = try Self.plan(TemporaryFile.holding(Self.source), hasRecord: hasRecord)
    let whole = try VirtualFile(plan, omittingData: false).file
    let planned = try VirtualFile(plan)
    let elements = StridedElements(
      byteOffset: 2, shape: [3, 5], byteStrides: [400, 8], elementByteCount: 2)
    func back(_ file: any ByteSource) -> FilePlan {
      var back = FilePlan()
      back.append(.literal([1]))
      let all = FileRegion(source: file, range: 0..<file.byteCount, name: "all")
      back.append(.copy(all, range: 1..<9030))
      let inner = FileRegion(source: file, range: 500..<4500, name: "inner")
      back.append(.gather(inner, elements))
      let record = back.closeRecord(from: 1)
      back.append(.computed(byteCount: 4) { littleEndian($0[record]) })
      return back
    }
    let through = try #require(planned.takingFromOriginals(back(planned.file)))
    #expect(try Self.bytes(of: through) == Self.bytes(of: back(whole)))
    for segment in through.segments {
      for region in segment.regions where region.source === planned.file {
        #expect(region.byteCount <= 30)
      }
    }
  }

  @Test("Elements of stretches that are left out in parts have no originals")
  func cannotReadThrough() throws {
    let plan = try Self.plan(TemporaryFile.holding(Self.source), hasRecord: false)
    let planned = try VirtualFile(plan)
    let region = FileRegion(source: planned.file, range: 0..<9000, name: "more")
    var back = FilePlan()
    back.append(
      .gather(
        region,
        .init(byteOffset: 0, shape: [2], byteStrides: [4], elementByteCount: 1)))
    #expect(planned.takingFromOriginals(back) == nil)
  }
}
