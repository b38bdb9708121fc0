import CkptBase
import CkptCopy
import CkptContainer
import CkptGraph
import CkptPlan
import CkptSafetensors
import CkptTestSupport
import Testing
import CkptTorch

/// Several files of one checkpoint.
struct ShardTests {
  private static func storage(_ key: Int, _ count: Int) -> PickledValue {
    .storage("ByteStorage", .int(count), key: .str("\(key)"))
  }

  /// Three storages; `b` and `c` are rows of one, `d` is `a`, and nothing is left of the last.
  private static let object: PickledValue = [
    "b": .tensor(storage(0, 8), [1, 4]), "a": .tensor(storage(1, 4), [4]),
    "c": .tensor(storage(0, 8), [1, 4], offset: 4), "d": .tensor(storage(1, 4), [4]),
    "é": .tensor(storage(2, 0), [0]),
  ]

  private static func checkpoint() throws -> Checkpoint {
    let archive = ZipBuilder.torch(
      pickle: object.pickle(), storages: [Array(1...8), Array(11...14), []])
    return try TorchReader.read(TemporaryFile.holding(archive.bytes()))
  }

  private static func bytes(_ plan: FilePlan) throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    let output = try StagedOutput(path: directory / "out")
    try CopyEngine(threadCount: 1).run(plan, into: output)
    return try output.makeSource().bytes(in: 0..<plan.byteCount)
  }

  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.drop { $0 != UInt8(ascii: "{") }, as: UTF8.self)
  }

  @Test("The index is sorted, indented and ASCII, and has sizes in bytes")
  func index() throws {
    let shards = try SafetensorsEncoder.encodeShards(
      Self.checkpoint(), options: .init(tied: .copy), .limit(8))
    #expect(
      shards.files.map(\.name) == [
        "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
      ])
    #expect(shards.totalByteCount == 16)
    let index = try #require(shards.index)
    #expect(
      String(decoding: index.bytes, as: UTF8.self) == """
        {
          "metadata": {
            "total_parameters": 16,
            "total_size": 16
          },
          "weight_map": {
            "a": "model-00001-of-00002.safetensors",
            "b": "model-00001-of-00002.safetensors",
            "c": "model-00002-of-00002.safetensors",
            "d": "model-00002-of-00002.safetensors",
            "\\u00e9": "model-00002-of-00002.safetensors"
          }
        }

        """)
    let second = try Self.bytes(shards.files[1].plan)
    #expect(second.suffix(8) == [5, 6, 7, 8, 11, 12, 13, 14])
    #expect(Self.text(second).hasPrefix(#"{"__metadata__":{"format":"pt"},"c":{"dtype":"U8","#))
  }

  @Test("One file has no number and no index")
  func single() throws {
    let shards = try SafetensorsEncoder.encodeShards(
      Self.checkpoint(), options: .init(tied: .copy), .limit(16))
    #expect(shards.files.map(\.name) == ["model.safetensors"])
    #expect(shards.index?.name == nil)
  }

  @Test("A name that shares bytes stands in the file that has them, and in the index")
  func aliases() throws {
    let shards = try SafetensorsEncoder.encodeShards(
      Self.checkpoint(), options: .init(tied: .alias), .limit(4))
    #expect(shards.aliasCount == 1)
    #expect(shards.files.map(\.tensorCount) == [1, 1, 2])
    let second = try Self.text(Self.bytes(shards.files[1].plan))
    #expect(second.contains(#""d":"a""#))
    let index = try String(decoding: #require(shards.index).bytes, as: UTF8.self)
    #expect(index.contains(#""d": "model-00002-of-00003.safetensors""#))
    #expect(index.contains(#""total_size": 12"#))
  }

  @Test("A checkpoint without tensors is a file without tensors")
  func empty() throws {
    let archive = ZipBuilder.torch(pickle: PickledValue.dict([]).pickle(), storages: [])
    let checkpoint = try TorchReader.read(TemporaryFile.holding(archive.bytes()))
    let shards = try SafetensorsEncoder.encodeShards(
      checkpoint, options: .init(), .limit(1))
    #expect(shards.files.map(\.name) == ["model.safetensors"])
    #expect(try Self.text(Self.bytes(shards.files[0].plan)).contains("format"))
  }

  @Test("What is not a tensor has no place in shards")
  func loses() throws {
    let object: PickledValue = ["step": 7]
    let archive = ZipBuilder.torch(pickle: object.pickle(), storages: [])
    let checkpoint = try TorchReader.read(TemporaryFile.holding(archive.bytes()))
    let error = #expect(throws: CheckpointError.self) {
      try SafetensorsEncoder.encodeShards(checkpoint, options: .init(), .limit(1))
    }
    #expect(error?.code == .lossy)
  }

  @Test("Damage in a storage is found though its bytes are in two files, or in none")
  func damage() throws {
    for record in ["archive/data/0", "archive/data/3"] {
      var archive = ZipBuilder.torch(
        pickle: Self.object.pickle(), storages: [Array(1...8), Array(11...14), [], [1, 2, 3]])
      let place = try #require(archive.records.firstIndex { $0.name == Array(record.utf8) })
      archive.records[place].crc32 = 1
      let checkpoint = try TorchReader.read(TemporaryFile.holding(archive.bytes()))
      let shards = try SafetensorsEncoder.encodeShards(
        checkpoint, options: .init(tied: .copy), .limit(8))
      let error = #expect(throws: CheckpointError.self) {
        for file in shards.files { _ = try Self.bytes(file.plan) }
      }
      #expect(error?.code == .checksumMismatch)
    }
  }
}
