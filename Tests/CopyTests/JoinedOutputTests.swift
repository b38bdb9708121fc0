import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

@Suite("Several files are written as one output")
struct JoinedOutputTests {
  @Test("Bytes go to the file that has their place", arguments: [1, 3])
  func writesThroughFiles(threads: Int) throws {
    let bytes = sampleBytes(90_000)
    let region = try FileRegion.holding(bytes)
    let ends = [0, 7, 7, 50_000, 90_000]
    var plan = FilePlan()
    var files: [(file: StagedOutput, byteCount: Int)] = []
    let directory = try TemporaryDirectory()
    for (index, start) in ends.dropLast().enumerated() {
      var part = FilePlan()
      part.append(.copy(region, range: start..<ends[index + 1]))
      plan.append(contentsOf: part)
      let file = try StagedOutput(path: directory / "file\(index)")
      files.append((file, part.byteCount))
    }
    try CopyEngine(threadCount: threads).run(plan, into: JoinedOutput(files))
    try StagedOutput.commit(files.map(\.file))
    for (index, start) in ends.dropLast().enumerated() {
      #expect(directory.bytes(of: "file\(index)") == Array(bytes[start..<ends[index + 1]]))
    }
  }

  @Test("Fields that are computed from checksums stay right in a joined plan")
  func keepsRecords() throws {
    let (part, bytes) = try RecordTests.example()
    var plan = FilePlan()
    plan.append(.literal([1, 2, 3]))
    plan.append(contentsOf: part)
    plan.append(contentsOf: part)
    let output = MemoryOutput()
    try CopyEngine(threadCount: 2).run(plan, into: output)
    #expect(output.bytes == [1, 2, 3] + bytes + bytes)
  }

  @Test("Other data takes the place of a segment, before and behind records")
  func replacesSegments() throws {
    var template = FilePlan()
    template.append(.zeros(byteCount: 4))
    let record = template.closeRecord(from: 0)
    template.append(.computed(byteCount: 4) { RecordTests.bytes($0[record]) })
    var plan = FilePlan()
    for data in [[Segment.literal([1, 2]), .literal([3, 4])], [.literal([5, 6, 7, 8])]] {
      plan.append(contentsOf: template, replacing: 0, by: data)
    }
    let output = MemoryOutput()
    try CopyEngine(threadCount: 1).run(plan, into: output)
    let expected = [[1, 2, 3, 4], [5, 6, 7, 8]].flatMap { (data: [UInt8]) in
      data + RecordTests.bytes(CRC32.checksum(data.span))
    }
    #expect(output.bytes == expected)
  }
}
