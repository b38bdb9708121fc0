import CkptBase
import CkptFormats
import CkptTestSupport
import Testing

@Suite("A source is looked at once")
struct SingleLookTests {
  private static let headByteCount = 4096
  /// The end record of an archive and the longest comment that readers look behind.
  private static let tailByteCount = 22 + (64 << 10)

  private static let pickle = PickledValue.dict(
    (0..<4).flatMap { number -> [PickledValue] in
      let storage = PickledValue.storage("FloatStorage", 50_000, key: .str("\(number)"))
      return [.str("w\(number)"), .tensor(storage, [50_000])]
    }
  ).pickle()

  private func reads(of bytes: [UInt8]) throws -> [Range<Int>] {
    let source = CountingSource(try TemporaryFile.holding(bytes))
    _ = try CheckpointFile.read(source)
    return source.reads
  }

  @Test("The start and the end of an archive are read once, and no part of it twice")
  func archive() throws {
    let storages = [[UInt8]](repeating: [UInt8](repeating: 1, count: 200_000), count: 4)
    let bytes = ZipBuilder.torch(pickle: Self.pickle, storages: storages).bytes()
    let reads = try reads(of: bytes)
    #expect(reads.first == 0..<Self.headByteCount)
    #expect(reads.dropFirst().first == bytes.count - Self.tailByteCount..<bytes.count)
    #expect(reads.count { $0.contains(bytes.count - 1) } == 1)
    #expect(Set(reads).count == reads.count, "\(reads)")
    // Two looks, the headers before the storages, the pickle and five small records.
    #expect(reads.count <= 2 + 5 + 6, "\(reads)")
  }

  @Test("A small archive is read once, and then only its records")
  func smallArchive() throws {
    let bytes = ZipBuilder.torch(pickle: PickledValue.none.pickle(), storages: []).bytes()
    let reads = try reads(of: bytes)
    #expect(reads.first == 0..<bytes.count)
    #expect(reads.dropFirst().allSatisfy { $0.count < 64 }, "\(reads)")
    #expect(Set(reads).count == reads.count, "\(reads)")
  }

  @Test("A safetensors file with a short header is read once")
  func shortHeader() throws {
    let file = SafetensorsFile(
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", data: [1, 2])
    #expect(try reads(of: file.bytes) == [0..<file.bytes.count])
  }

  @Test("A long header is read once")
  func longHeader() throws {
    let note = String(repeating: "x", count: 10_000)
    let file = SafetensorsFile("{\"__metadata__\":{\"note\":\"\(note)\"}}")
    #expect(
      try reads(of: file.bytes) == [0..<Self.headByteCount, 8..<file.bytes.count])
  }

  @Test("Text that is no checkpoint is read once")
  func text() throws {
    let source = CountingSource(try TemporaryFile.holding(Array("{\"layers\": 2}".utf8)))
    #expect(throws: CheckpointError.self) { try CheckpointFile.read(source) }
    #expect(source.reads == [0..<13])
  }
}
