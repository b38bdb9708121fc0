import CkptBase
import CkptPlan
import Glibc
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptCopy

struct StagedOutputTests {
  let directory: TemporaryDirectory
  let old = Array("old".utf8)

  init() throws { directory = try TemporaryDirectory() }

  func stage(
    _ text: String, as name: String, replacing: Bool = false, synchronizing: Bool = false
  ) throws -> StagedOutput {
    let output = try StagedOutput(
      path: directory / name, .init(replacesExisting: replacing, synchronizes: synchronizing))
    try CopyEngine().run(FilePlan([.literal(Array(text.utf8))]), into: output)
    return output
  }

  @Test("A file appears when it is committed and not before", arguments: [false, true])
  func appears(isSynchronizing: Bool) throws {
    let output = try stage("new", as: "out", synchronizing: isSynchronizing)
    #expect(directory.names == [])
    try output.commit()
    #expect(directory.names == ["out"])
    #expect(directory.bytes(of: "out") == Array("new".utf8))
  }

  @Test("A file without bytes can be committed")
  func empty() throws {
    try stage("", as: "out").commit()
    #expect(directory.bytes(of: "out") == [])
  }

  @Test("A new file has the permissions that any other new file has")
  func permissions() throws {
    try directory.write(old, to: "other")
    try stage("new", as: "out").commit()
    let other = try Syscalls.status(at: directory / "other")
    let status = try Syscalls.status(at: directory / "out")
    #expect(status != nil)
    #expect(status?.permissions == other?.permissions)
  }

  @Test("A file that is not committed leaves nothing")
  func abandoned() throws {
    _ = try stage("new", as: "out")
    #expect(directory.names == [])
  }

  @Test("A file that exists is refused before any work, with the way to replace it")
  func exists() throws {
    try directory.write(old, to: "out")
    let error = #expect(throws: CheckpointError.self) { try StagedOutput(path: directory / "out") }
    #expect(error?.code == .inputOutput)
    #expect(error?.cause?.isPresent == true)
    #expect(error?.remedy == .action(.replaceExisting))
    #expect(directory.bytes(of: "out") == old)
  }

  @Test(
    "What is no file is refused even for replacing",
    arguments: [
      ("", EISDIR), ("/", EISDIR), ("/sub", ENOENT), ("/sub/out", ENOENT), ("/file/out", ENOTDIR),
      ("/link", EISDIR), ("/null", EEXIST),
    ])
  func noFile(name: String, code: Int32) throws {
    try directory.write(old, to: "file")
    symlink(directory.path, directory / "link")
    symlink("/dev/null", directory / "null")
    let path = directory.path + (name == "/sub" ? "/sub/" : name)
    let error = #expect(throws: CheckpointError.self) {
      try StagedOutput(path: path, .init(replacesExisting: true))
    }
    #expect(error?.cause?.number == code)
    #expect(error?.remedy != .action(.replaceExisting))
    #expect(directory.names == ["file", "link", "null"])
  }

  @Test("A path that is empty is refused")
  func noPath() {
    let error = #expect(throws: CheckpointError.self) { try StagedOutput(path: "") }
    #expect(error?.cause?.isMissing == true)
  }

  @Test("A file is replaced at the end and not before")
  func replaced() throws {
    try directory.write(old, to: "out")
    let output = try stage("new", as: "out", replacing: true)
    #expect(directory.bytes(of: "out") == old)
    try output.commit()
    #expect(directory.bytes(of: "out") == Array("new".utf8))
    #expect(directory.names == ["out"])
  }

  @Test("Replacing where there is nothing makes a new file")
  func replacedNothing() throws {
    try stage("new", as: "out", replacing: true).commit()
    #expect(directory.names == ["out"])
  }

  @Test("A symbolic link is replaced and what it points to stays", arguments: [true, false])
  func link(isDangling: Bool) throws {
    if !isDangling { try directory.write(old, to: "target") }
    symlink(directory / "target", directory / "out")
    #expect(throws: CheckpointError.self) { try stage("new", as: "out") }
    try stage("new", as: "out", replacing: true).commit()
    #expect(directory.bytes(of: "out") == Array("new".utf8))
    #expect(directory.bytes(of: "target") == (isDangling ? nil : old))
    #expect(try Syscalls.status(at: directory / "out", followingLinks: false)?.isRegular == true)
  }

  @Test("A source can be replaced by its own conversion")
  func sourceIsDestination() throws {
    let bytes = sampleBytes(100_000)
    try directory.write(bytes, to: "model")
    let file = try FileSource(path: directory / "model")
    let region = FileRegion(source: file, range: 0..<bytes.count, name: "model")
    let output = try StagedOutput(path: directory / "model", .init(replacesExisting: true))
    let plan = FilePlan([
      .copy(region, range: 50_000..<100_000), .copy(region, range: 0..<50_000),
    ])
    try CopyEngine().run(plan, into: output)
    try output.commit()
    #expect(directory.bytes(of: "model") == Array(bytes[50_000...] + bytes[..<50_000]))
  }

  @Test("A name that is taken meanwhile is left to whoever took it")
  func taken() throws {
    let output = try stage("new", as: "out")
    try directory.write(old, to: "out")
    let error = #expect(throws: CheckpointError.self) { try output.commit() }
    #expect(error?.cause?.isPresent == true)
    #expect(directory.bytes(of: "out") == old)
    #expect(directory.names == ["out"])
  }

  @Test("Of several files all appear or none")
  func several() throws {
    try directory.write(old, to: "c")
    let outputs = [
      try stage("A", as: "a"), try stage("B", as: "b"), try stage("C", as: "c", replacing: true),
    ]
    try directory.write(old, to: "b")
    #expect(throws: CheckpointError.self) { try StagedOutput.commit(outputs) }
    #expect(directory.bytes(of: "b") == old)
    #expect(directory.bytes(of: "c") == old)
    #expect(directory.bytes(of: "a") == nil)

    let again = [try stage("A", as: "a"), try stage("C", as: "c", replacing: true)]
    try StagedOutput.commit(again)
    #expect(directory.bytes(of: "a") == Array("A".utf8))
    #expect(directory.bytes(of: "c") == Array("C".utf8))
    withExtendedLifetime(outputs) {}
  }

  @Test("An output that cannot fit the disk is refused with both numbers before it is begun")
  func noRoom() throws {
    let region = try FileRegion.holding([1, 2])
    let elements = StridedElements(
      byteOffset: 0, shape: [1 << 55], byteStrides: [0], elementByteCount: 2)
    let output = try StagedOutput(path: directory / "out")
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(FilePlan([.gather(region, elements)]), into: output)
    }
    #expect(error?.code == .inputOutput)
    #expect(error?.message.hasPrefix("not enough space: 72.1 PB needed, ") == true)
    #expect(error?.path == [directory.path])
    let free = try #require(try Syscalls.availableBytes(at: directory.path))
    #expect(free > 0)
    try FreeSpace.require(0, in: directory.path)
    #expect(throws: CheckpointError.self) { try FreeSpace.require(free * 2, in: directory.path) }
  }
}
