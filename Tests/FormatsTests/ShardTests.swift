import CkptBase
import CkptCopy
import CkptFormats
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing
import CkptTorch

@Suite("Checkpoints in several files")
struct ShardTests {
  /// A folder whose index and shards do not agree.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var map = "{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}"
    var first = ["a"]
    var second = ["b"]
    let code: CheckpointError.Code
    let message: String
    var place: [String] = []

    init(
      _ testDescription: String, map: String? = nil, first: [String]? = nil,
      second: [String]? = nil, _ code: CheckpointError.Code, at place: String...,
      says message: String
    ) {
      self.testDescription = testDescription
      if let map { self.map = map }
      if let first { self.first = first }
      if let second { self.second = second }
      self.code = code
      self.place = ["model.safetensors.index.json"] + place
      self.message = message
    }
  }

  static let cases = [
    Case(
      "A shard that is missing", map: "{\"a\":\"1.safetensors\",\"b\":\"3.safetensors\"}",
      .inputOutput, at: "3.safetensors", says: "no such file or directory"),
    Case(
      "A tensor in two shards", second: ["b", "a"], .malformed, at: "2.safetensors",
      says: "tensor 'a' is in this shard, but the index lists it in '1.safetensors'"),
    Case(
      "A tensor in another shard than the index says", first: ["b"], second: ["a"], .malformed,
      at: "1.safetensors",
      says: "tensor 'b' is in this shard, but the index lists it in '2.safetensors'"),
    Case(
      "A tensor that is in no shard",
      map: "{\"c\":\"1.safetensors\",\"a\":\"1.safetensors\",\"d\":\"1.safetensors\","
        + "\"b\":\"2.safetensors\"}",
      .malformed,
      says:
        "tensor 'c' is not in '1.safetensors', although the index lists it there, and 1 more are missing"
    ),
    Case(
      "A tensor that is not in the index", second: ["b", "c"], .malformed, at: "2.safetensors",
      says: "tensor 'c' is not in the index"),
    Case(
      "A shard in another directory", map: "{\"a\":\"../1.safetensors\"}", .malformed,
      says: "tensor 'a' is listed in '../1.safetensors', which is not a file name"),
    Case(
      "A shard below the directory", map: "{\"a\":\"x/1.safetensors\"}", .malformed,
      says: "tensor 'a' is listed in 'x/1.safetensors', which is not a file name"),
    Case(
      "The directory as a shard", map: "{\"a\":\"..\"}", .malformed,
      says: "tensor 'a' is listed in '..', which is not a file name"),
    Case(
      "A shard without a name", map: "{\"a\":\"\"}", .malformed,
      says: "tensor 'a' is listed in '', which is not a file name"),
    Case(
      "A shard that is a number", map: "{\"a\":1}", .malformed, at: "tensor 'a'",
      says: "found byte 0x31, expected a string"),
    Case(
      "A tensor that the index has twice",
      map: "{\"a\":\"1.safetensors\",\"a\":\"1.safetensors\"}", .malformed,
      says: "the index has tensor 'a' twice"),
    Case(
      "An index of nothing", map: "{}", .malformed, says: "the weight_map of this index is empty"),
    Case(
      "An index that is cut short", map: "{\"a\":\"1.safetensors\"", .malformed,

      says: "found the end of the JSON text, expected the end of a container"),
    Case(
      "An index among the shards", map: "{\"a\":\"model.safetensors.index.json\"}", .unsupported,
      says: "this is JSON text, not a checkpoint"),
  ]

  @Test("Index and shards that do not agree are refused", arguments: cases)
  func refuses(_ test: Case) throws {
    let folder = try ShardFolder()
    try folder.addSafetensors("1.safetensors", test.first)
    try folder.addSafetensors("2.safetensors", test.second)
    try folder.addIndex(test.map)
    let error = try #require(folder.error())
    #expect(error.code == test.code)
    #expect(error.path == test.place)
    #expect(error.message.hasPrefix(test.message), "\(error.message)")
  }

  @Test("Shards are one dict, in the order of the files")
  func readsSafetensors() throws {
    let folder = try ShardFolder()
    try folder.addSafetensors("1.safetensors", ["z", "y"], metadata: "{\"format\":\"pt\"}")
    try folder.addSafetensors(
      "2.safetensors", ["x"], metadata: "{\"format\":\"pt\",\"tied\":\"x\"}")
    try folder.addIndex(
      "{\"x\":\"2.safetensors\",\"y\":\"1.safetensors\",\"z\":\"1.safetensors\"}",
      metadata: "{\"total_size\":6,\"other\":[1]}")
    let checkpoint = try folder.read()
    let graph = checkpoint.graph
    let entries = try #require(graph.entries(of: graph.root))
    #expect(entries.map { graph.string($0.key) } == ["z", "y", "x", "tied"])
    let bytes = try entries.map { entry in
      guard case .tensor(let id) = graph[entry.value], let storage = graph[id].storage,
        let region = graph[storage].region
      else { return [UInt8]() }
      return try region.source.bytes(in: region.range)
    }
    #expect(bytes == [[0, 0xff], [1, 0xff], [0, 0xff], [0, 0xff]])
    #expect(checkpoint.warnings == [])
    let description = try #require(checkpoint.container as? ShardsDescription)
    #expect(description.shards.map(\.name) == ["1.safetensors", "2.safetensors"])
    #expect(description.shards.map(\.entryCount) == [2, 1])
    #expect(description.metadata.map(\.key) == ["format", "tied"])
    #expect(description.announcedByteCount == 6)
  }

  @Test("Ties in the metadata of the index are read, and nothing else there")
  func tiesOfIndex() throws {
    let folder = try ShardFolder()
    try folder.addSafetensors("1.safetensors", ["a"])
    try folder.addIndex(
      "{\"a\":\"1.safetensors\"}",
      metadata: "{\"total_size\":2,\"tied\":\"a\",\"note\":\"b\",\"n\":[1]}")
    let description = try #require(folder.read().container as? ShardsDescription)
    #expect(description.metadata.map(\.key) == ["tied"])
    #expect(description.metadata.map(\.value) == ["a"])
  }

  @Test("Names that an index has for tied tensors need no entry where their tensor has one")
  func readsTied() throws {
    let folder = try ShardFolder()
    try folder.addSafetensors("1.safetensors", ["a"], metadata: "{\"tied\":\"a\"}")
    try folder.addIndex("{\"a\":\"1.safetensors\",\"tied\":\"1.safetensors\"}")
    let graph = try folder.read().graph
    #expect(graph.description(of: graph.root).contains("'tied': tensor"))
    #expect((graph.tensors.count, graph.storages.count) == (2, 1))
    try folder.addSafetensors("1.safetensors", ["a"], metadata: "{\"tied\":\"b\"}")
    #expect(folder.error()?.message.hasPrefix("tensor 'tied' is not in") == true)
  }

  static let sizes = [
    ("12", true), ("4.0", false), ("4", false), ("\"4\"", false), ("null", false),
  ]

  @Test("A wrong size is warned of, whatever is not a size is passed over", arguments: sizes)
  func warnsOfSize(size: String, isWarning: Bool) throws {
    let folder = try ShardFolder()
    try folder.addSafetensors("1.safetensors", ["a"])
    try folder.addSafetensors("2.safetensors", ["b"])
    try folder.addIndex(
      "{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}", metadata: "{\"total_size\":\(size)}")
    let warnings = try folder.read().warnings
    #expect(
      warnings
        == (isWarning ? ["the index says that the tensors have 12 bytes, but they have 4"] : []))
  }

  @Test("A skeleton in a shard is not read, and that is said")
  func leavesSkeletonOut() throws {
    let folder = try ShardFolder()
    try folder.addSafetensors("1.safetensors", ["a"], metadata: "{\"ckptconv.skeleton\":\"{}\"}")
    try folder.addIndex("{\"a\":\"1.safetensors\"}")
    #expect(
      try folder.read().warnings
        == ["1.safetensors: its skeleton is ignored, as always in shards"])
  }

  @Test("Shards of torch.save keep their storages apart, and what is tied stays tied")
  func readsTorch() throws {
    let folder = try ShardFolder()
    let storage = PickledValue.storage("ByteStorage", 4)
    try folder.addTorch(
      "1.bin",
      ["a": .tensor(storage, [4]), "tied": .tensor(storage, [2], offset: 2), "n": 7],
      storages: [[1, 2, 3, 4]])
    try folder.addTorch("2.bin", ["b": .tensor(storage, [4])], storages: [[5, 6, 7, 8]])
    try folder.addIndex(
      "{\"a\":\"1.bin\",\"b\":\"2.bin\",\"n\":\"1.bin\",\"tied\":\"1.bin\"}",
      named: "pytorch_model.bin.index.json")
    let checkpoint = try folder.read()
    let plan = try TorchEncoder.encode(checkpoint, options: .init(prefix: "archive")).plan
    let output = try TemporaryOutput(in: folder.directory.path)
    try CopyEngine(threadCount: 1).run(plan, into: output)
    let graph = try TorchReader.read(output.makeSource()).graph
    let entries = try #require(graph.entries(of: graph.root))
    let texts = try entries.map { entry in
      let name = graph.string(entry.key) ?? "?"
      guard case .tensor(let id) = graph[entry.value], let storage = graph[id].storage,
        let region = graph[storage].region
      else { return "\(name) \(graph.description(of: entry.value))" }
      let bytes = try region.source.bytes(in: region.range)
      return "\(name) \(graph[id].shape) at \(graph[id].offset) of \(graph[storage].key) \(bytes)"
    }
    #expect(
      texts == [
        "a [4] at 0 of 0 [1, 2, 3, 4]", "tied [2] at 2 of 0 [1, 2, 3, 4]", "n 7",
        "b [4] at 0 of 1 [5, 6, 7, 8]",
      ])
  }

  @Test("A folder is searched as transformers does")
  func findsWeights() throws {
    let folder = try ShardFolder()
    #expect(folder.error()?.code == .unsupported)
    try folder.addSafetensors("1.safetensors", ["a"])
    try folder.addIndex("{\"a\":\"1.safetensors\"}", named: "other.safetensors.index.json")
    #expect(try folder.read().graph.tensors.count == 1)
    try folder.addIndex("{\"a\":\"1.safetensors\"}", named: "second.safetensors.index.json")
    #expect(folder.error()?.message.hasPrefix("this directory has several models") == true)
    try folder.addTorch("pytorch_model.bin", [:], storages: [])
    #expect(try folder.read().graph.tensors.count == 0)
    try folder.addSafetensors("model.safetensors", ["a", "b"])
    #expect(try folder.read().graph.tensors.count == 2)
  }

  @Test("JSON text that is no index is called by its name")
  func refusesOtherJSON() throws {
    let folder = try ShardFolder()
    for text in ["{\"architectures\":[\"Olmo2\"]}", "{\"a\":", "[]"] {
      try folder.directory.write(Array(text.utf8), to: "config.json")
      #expect(
        folder.error("config.json")?.message == "this is JSON text, not a checkpoint")
    }
  }
}
