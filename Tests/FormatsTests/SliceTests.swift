import CkptBase
import CkptCopy
import CkptFormats
import CkptGraph
import CkptPlan
import CkptTestSupport
import CkptTorch
import Testing

/// Checkpoints that lie inside of a larger file.
struct SliceTests {
  private static let bytes = [UInt8](0..<240)
  private static let archive = ZipBuilder.torch(
    pickle: (["w": .tensor(.storage("FloatStorage", 60), [4, 15])] as PickledValue).pickle(),
    storages: [bytes])

  /// A file with `content` between two other archives, and the part that `content` is.
  private static func slice(of content: [UInt8]) throws -> SliceSource {
    let other = ZipBuilder.torch(pickle: PickledValue.none.pickle(), storages: [[1, 2, 3]]).bytes()
    let file = try TemporaryFile.holding(other + content + other)
    return try SliceSource(other.count..<other.count + content.count, of: file)
  }

  /// The bytes of what a checkpoint is converted to.
  private static func written(_ plan: FilePlan) throws -> [UInt8] {
    let output = try TemporaryOutput(in: Syscalls.temporaryDirectory())
    try CopyEngine().run(plan, into: output)
    let file = try output.makeSource()
    return try file.bytes(in: 0..<file.byteCount)
  }

  private static func safetensors(_ source: any ByteSource) throws -> [UInt8] {
    try written(
      SafetensorsEncoder.encode(CheckpointFile.read(source), options: .init(layout: .plain)).plan)
  }

  private static func torch(_ source: any ByteSource) throws -> [UInt8] {
    try written(
      TorchEncoder.encode(CheckpointFile.read(source), options: .init(prefix: "archive")).plan)
  }

  @Test("An archive inside a larger file, or in memory, is read and converted like one by itself")
  func converts() throws {
    for compresses in [false, true] {
      var archive = Self.archive
      if compresses {
        let index = archive.records.count - 3
        #expect(archive.records[index].name == Array("archive/data/0".utf8))
        archive.records[index] = .init(
          "archive/data/0", Self.bytes, deflated: Deflate.stored(Self.bytes))
      }
      let content = archive.bytes()
      let file = try TemporaryFile.holding(content)
      let expected = try Self.safetensors(file)
      #expect(try Self.safetensors(Self.slice(of: content)) == expected)
      #expect(try Self.safetensors(MemorySource(content, name: "memory")) == expected)
      #expect(
        try Self.safetensors(SliceSource(0..<content.count, of: Self.slice(of: content)))
          == expected)
      #expect(try Self.torch(Self.slice(of: expected)) == Self.torch(file))
    }
  }

  @Test("Damage inside a larger file is told with the place of the archive")
  func damage() throws {
    var archive = Self.archive
    archive.records[4].crc32 ^= 1
    let slice = try Self.slice(of: archive.bytes())
    let error = #expect(throws: CheckpointError.self) { try Self.safetensors(slice) }
    #expect(error?.code == .checksumMismatch)
    #expect(error?.path == [slice.name, "archive/data/0"])
    #expect(slice.name.contains(" (from byte 0x"))
  }

  @Test("A place in a pickle inside a larger file counts from the start of the pickle")
  func pickle() throws {
    let slice = try Self.slice(of: ZipBuilder.torch(pickle: [0x80, 2, 0xff], storages: []).bytes())
    let error = #expect(throws: CheckpointError.self) { try TorchReader.read(slice) }
    #expect(
      error?.description
        == "\(slice.name): archive/data.pkl: byte 0x2: 0xff is not a pickle opcode")
  }

  @Test("A slice that cuts an archive off does not see what follows it")
  func cutOff() throws {
    let content = Self.archive.bytes()
    let file = try TemporaryFile.holding(content)
    for count in [0, 10, content.count / 2, content.count - 1] {
      #expect(throws: CheckpointError.self) {
        try CheckpointFile.read(SliceSource(0..<count, of: file))
      }
    }
  }

  @Test("Tensors of many slices of one file are read together and the file is looked at once")
  func neighbors() throws {
    let bytes = [UInt8](0..<250)
    let source = MemorySource(bytes, name: "all")
    var plan = FilePlan()
    for start in 0..<250 {
      let slice = try SliceSource(start..<start + 1, of: source)
      plan.append(.copy(FileRegion(source: slice, range: 0..<1, name: "t\(start)"), range: 0..<1))
    }
    #expect(try Self.written(plan) == bytes)
    let twice = try (0..<2).map { _ in
      FileRegion.Identity(
        FileRegion(source: try SliceSource(5..<9, of: source), range: 1..<3, name: "t"))
    }
    #expect(twice[0] == twice[1])
    #expect(
      twice[0] == FileRegion.Identity(FileRegion(source: source, range: 6..<8, name: "t")))
  }
}
