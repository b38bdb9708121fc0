import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// Outputs that are read again before, or without ever, having a name.
struct TemporaryOutputTests {
  let directory: TemporaryDirectory
  let bytes = sampleBytes(300_000)

  init() throws { directory = try TemporaryDirectory() }

  func plan() throws -> FilePlan {
    let region = try FileRegion.holding(bytes)
    return FilePlan([
      .copy(region, range: 0..<200_000), .zeros(byteCount: 5),
      .copy(region, range: 200_000..<300_000),
    ])
  }

  var expected: [UInt8] {
    bytes[..<200_000] + Array(repeating: 0, count: 5) + bytes[200_000...]
  }

  @Test("A temporary output is read again and outlived by its source, and never has a name")
  func temporary() throws {
    let source: any ByteSource
    do {
      let output = try TemporaryOutput(in: directory.path)
      #expect(output.scratchDirectory == directory.path)
      try CopyEngine().run(plan(), into: output)
      #expect(directory.names == [])
      source = try output.makeSource()
    }
    #expect(source.byteCount == 300_005)
    #expect(try source.bytes(in: 0..<400_000) == expected)
    let region = FileRegion(source: source, range: 0..<300_005, name: "again")
    let again = MemoryOutput()
    try CopyEngine().run(FilePlan([.copy(region, range: 0..<300_005)]), into: again)
    #expect(again.bytes == expected)
    #expect(directory.names == [])
  }

  @Test("A temporary output without bytes is an empty file")
  func empty() throws {
    let output = try TemporaryOutput(in: directory.path)
    try CopyEngine().run(FilePlan(), into: output)
    #expect(try output.makeSource().byteCount == 0)
  }

  @Test("A temporary output needs a directory")
  func missing() {
    let error = #expect(throws: CheckpointError.self) {
      try TemporaryOutput(in: directory / "none")
    }
    #expect(error?.code == .inputOutput)
  }

  @Test("A staged file is read before it has its name, and is the same file afterwards")
  func staged() throws {
    let output = try StagedOutput(path: directory / "out")
    try CopyEngine().run(plan(), into: output)
    let source = try output.makeSource()
    #expect(source.path == directory / "out")
    #expect(try source.bytes(in: 0..<400_000) == expected)
    #expect(directory.names == [])
    try output.commit()
    try source.requireUnchanged()
    #expect(directory.bytes(of: "out") == expected)
  }
}
