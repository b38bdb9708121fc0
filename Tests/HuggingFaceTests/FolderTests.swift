import CkptBase
import CkptConvert
import CkptFormats
import CkptGraph
import CkptModels
import CkptTestSupport
import Testing

@testable import CkptHuggingFace

@Suite("A folder has the shards, types and companions that were asked for")
struct FolderTests {
  private static let source = Fixture.path("olmo2-fsdp/step6-unsharded")

  /// The folder that a real checkpoint becomes, and what is told of it.
  private struct Folder {
    let directory: TemporaryDirectory
    let report: DirectoryReport

    init(
      of source: String = FolderTests.source, _ change: (inout OLMoToHuggingFace.Options) -> Void
    ) throws {
      directory = try TemporaryDirectory()
      var options = OLMoToHuggingFace.Options()
      change(&options)
      report = try OLMoToHuggingFace(options)
        .run(source, to: directory / "folder") { _, _ in }
    }

    var path: String { directory / "folder" }
    var names: [String] { report.outputs.map { String($0.path.dropFirst(path.count + 1)) } }
    var weights: [String] { names.filter { $0.hasPrefix("model") && $0.hasSuffix(".safetensors") } }

    func text(_ name: String) throws -> String {
      String(decoding: try #require(directory.bytes(of: "folder/\(name)")), as: UTF8.self)
    }
  }

  @Test(
    "Weights are divided into shards that are no larger than asked for",
    arguments: [
      Int.max, 300_000, 60_000, 1,
    ])
  func shards(_ byteCount: Int) throws {
    let folder = try Folder { $0.maximumShardByteCount = byteCount }
    let whole = try CheckpointFile.read(folder.path).graph
    #expect(whole.tensors.count > 10)
    let isWhole = byteCount == .max
    #expect((folder.weights == ["model.safetensors"]) == isWhole)
    #expect(folder.names.contains("model.safetensors.index.json") == !isWhole)
    var count = 0
    for name in folder.weights {
      let graph = try CheckpointFile.read("\(folder.path)/\(name)").graph
      let bytes = graph.tensors.reduce(0) { $0 + $1.byteCount }
      #expect(bytes <= byteCount || graph.tensors.count == 1)
      count += graph.tensors.count
      if !isWhole { #expect(try folder.text("model.safetensors.index.json").contains(name)) }
    }
    #expect(count == whole.tensors.count)
  }

  @Test("Weights are cast, the configuration says so, and the file cannot return")
  func casts() throws {
    let folder = try Folder { $0.dtype = .bfloat16 }
    let graph = try CheckpointFile.read(folder.path).graph
    #expect(graph.tensors.allSatisfy { $0.dtype == .bfloat16 })
    #expect(try folder.text("config.json").contains(#""torch_dtype": "bfloat16""#))
    #expect(!folder.names.contains("olmo/model.skeleton.json"))
    #expect(try Folder { _ in }.names.contains("olmo/model.skeleton.json"))
  }

  @Test("What only OLMo knows goes along unless it is left out")
  func sidecars() throws {
    let folder = try Folder { $0.translation.carriesRest = false }
    #expect(folder.names.filter { $0.hasPrefix("olmo/") } == [])
    let full = try Folder { $0.carriesOptimizer = true }
    for name in ["optimizer.safetensors", "olmo/optim.skeleton.json", "olmo/train.pt"] {
      #expect(full.names.contains(name))
    }
  }

  @Test("A tokenizer is copied from where it is, and its absence is told")
  func tokenizer() throws {
    let without = try Folder { _ in }
    #expect(without.report.notes.contains { $0.message.contains("no tokenizer") })
    let place = try TemporaryDirectory()
    try place.write(Array(#"{"model":{"vocab":{"a":0}}}"#.utf8), to: "tokenizer.json")
    try place.write(Array("{}".utf8), to: "tokenizer_config.json")
    let folder = try Folder { $0.tokenizer = place.path }
    #expect(
      folder.directory.bytes(of: "folder/tokenizer.json") == place.bytes(of: "tokenizer.json"))
    #expect(folder.names.contains("tokenizer_config.json"))
    #expect(!folder.report.notes.contains { $0.message.contains("no tokenizer") })
    let empty = try TemporaryDirectory()
    let error = #expect(throws: CheckpointError.self) {
      try Folder { $0.tokenizer = empty.path }
    }
    #expect(error?.code == .unsupported)
  }

  @Test("A directory that has no checkpoint is refused, and nothing is left behind")
  func refuses() throws {
    let directory = try TemporaryDirectory()
    try directory.write(Array("model:\n".utf8), to: "config.yaml")
    let before = directory.names
    let error = #expect(throws: CheckpointError.self) {
      try OLMoToHuggingFace(.init()).run(directory.path, to: directory / "folder") { _, _ in }
    }
    #expect(error?.code == .unsupported)
    #expect(directory.names == before)
  }

  @Test("An optimizer that is asked for must be there")
  func missingOptimizer() throws {
    let directory = try TemporaryDirectory()
    for name in ["config.yaml", "model.pt"] {
      try directory.write(Fixture.bytes("olmo2-fsdp/step6-unsharded/\(name)"), to: name)
    }
    #expect(try Folder(of: directory.path) { _ in }.weights == ["model.safetensors"])
    let error = #expect(throws: CheckpointError.self) {
      try Folder(of: directory.path) { $0.carriesOptimizer = true }
    }
    #expect(error?.message == "this directory has no optimizer state")
  }
}
