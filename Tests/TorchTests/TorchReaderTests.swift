import CkptBase
import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing
import CkptTorch

/// Messages of the reader.
struct TorchReaderTests {
  private static let system = PickledValue.global("posix", "system")

  @Test("An error names file, entry and place")
  func path() throws {
    let file = try TemporaryFile.holding(
      ZipBuilder.torch(pickle: [0x80, 2, 0xff], storages: [], prefix: "model").bytes())
    let error = #expect(throws: CheckpointError.self) { try TorchReader.read(file) }
    #expect(
      error?.description
        == "\(file.path): model/data.pkl: byte 0x2: 0xff is not a pickle opcode")
  }

  @Test("An error of the archive names the file only")
  func archivePath() throws {
    let file = try TemporaryFile.holding(ZipBuilder([.init("x", [])]).bytes())
    let error = #expect(throws: CheckpointError.self) { try TorchReader.read(file) }
    #expect(error?.path == [file.path])
    #expect(error?.remedy == "give a file that torch.save or torch.jit.save wrote")
  }

  @Test("A pickle that was damaged on the way is not read")
  func checksum() throws {
    var builder = ZipBuilder.torch(pickle: PickledValue.none.pickle(), storages: [])
    builder.records[0].stored[2] = UInt8(ascii: "]")
    let error = #expect(throws: CheckpointError.self) { try TorchFile.read(builder) }
    #expect(error?.code == .checksumMismatch)
    #expect(error?.path.last == "archive/data.pkl")
  }

  @Test("A pickle that would run code is refused and named")
  func forbidden() {
    let error = #expect(throws: CheckpointError.self) {
      try TorchFile.read(["a": .call(Self.system, ["ls"])])
    }
    #expect(error?.code == .forbidden)
    #expect(
      error?.message
        == "global 'posix.system' is not allowed: it is not known to be harmless and can run code")
  }

  @Test("A tensor survives a neighbor that was dropped, with a warning")
  func dropped() throws {
    let checkpoint = try TorchFile.read(
      ["bad": .call(Self.system, ["ls"]), "w": .tensor(.storage("ByteStorage", 1), [1])],
      storages: [[1]], droppingUnsafe: true)
    #expect(
      checkpoint.graph.description(of: checkpoint.graph.root)
        == "{'bad': None, 'w': tensor(uint8, [1])}")
    #expect(
      checkpoint.warnings == [
        "global 'posix.system' can run code; it was replaced by None"
      ])
  }

  @Test("An archive without checksums is read with a warning")
  func noChecksums() throws {
    var builder = ZipBuilder.torch(
      pickle: PickledValue.tensor(.storage("ByteStorage", 1), []).pickle(), storages: [[1]])
    for index in builder.records.indices { builder.records[index].crc32 = 0 }
    let checkpoint = try TorchFile.read(builder)
    #expect(
      checkpoint.warnings == [
        "the archive has no checksums: damage to its data cannot be noticed"
      ])
    #expect(checkpoint.graph.storages.map(\.region?.crc32) == [nil])
  }

  @Test("Calls whose results are thrown away are told, three of them by name")
  func discarded() throws {
    let calls = (0..<4).flatMap { number in
      PickledValue.call(.global("m", "C"), [.int(number)]).program + Array("0".utf8)
    }
    let checkpoint = try TorchFile.read(.operations(calls + Array("N".utf8)))
    #expect(
      checkpoint.warnings == [
        "the pickle throws away the results of 4 calls: C(0), C(1), C(2)"
      ])
  }

  @Test("A storage keeps the checksum that its copy must have")
  func storageChecksum() throws {
    let checkpoint = try TorchFile.read(.storage("ByteStorage", 2), storages: [[1, 2]])
    let region = try #require(checkpoint.graph.storages.first?.region)
    #expect(region.crc32 == referenceCRC32([1, 2]))
    #expect(region.byteCount == 2)
    #expect(try region.source.bytes(in: region.range) == [1, 2])
  }

  @Test("What follows the pickle's end is not read")
  func trailingBytes() throws {
    let pickle = PickledValue.int(5).pickle() + [0xff, 0xff]
    let graph = try TorchFile.read(.torch(pickle: pickle, storages: [])).graph
    #expect(graph.int(graph.root) == 5)
  }
}
