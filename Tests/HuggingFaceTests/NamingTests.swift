import CkptBase
import CkptCheckpoints
import CkptCopy
import CkptFormats
import CkptGraph
import CkptHuggingFace
import CkptPlan
import CkptSafetensors
import CkptTestSupport
import Testing
import CkptTorch

@testable import CkptModels
@testable import CkptHuggingFace

/// Real checkpoints of OLMo's trainer under Hugging Face's names and back.
struct NamingTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var table: NameTable
    var dimensions: ModelDimensions
    var hasModel = true
  }

  static let samples = [
    Sample(
      testDescription: "olmo2-fsdp/step6-unsharded", table: .olmo2,
      dimensions: ModelDimensions(
        vocabulary: 4096, hidden: 32, keys: 16, feedForward: 88, layers: 2)),
    Sample(
      testDescription: "olmo1-lionw/step12-unsharded", table: .olmo1, dimensions: lion),
    Sample(
      testDescription: "olmo1-lionw-fsdp/step6-unsharded", table: .olmo1, dimensions: lion,
      hasModel: false),
  ]

  static let lion: ModelDimensions = {
    var dimensions = ModelDimensions(
      vocabulary: 4096, hidden: 48, keys: 48, feedForward: 192, layers: 2)
    dimensions.isTied = true
    return dimensions
  }()

  @Test(
    "A model goes to Hugging Face's files and returns as the file it was",
    arguments: samples.filter(\.hasModel), [Int.max, 100_000])
  func returnsModel(_ sample: Sample, _ maximumByteCount: Int) throws {
    let map = try TensorMap(sample.table, sample.dimensions)
    let source = Fixture.path(sample.testDescription + "/model.pt")
    let checkpoint = try CheckpointFile.read(source)
    let skeleton = OLMoSidecar(kind: .model, groupSize: map.dimensions.blockGroupSize)
    let document = try #require(try skeleton.document(of: checkpoint))
    let named = try HuggingFaceNaming(map: map).model(checkpoint.graph)
    let folder = try Folder()
    try folder.write(
      SafetensorsEncoder.encodeShards(
        Folder.checkpoint(named), options: .init(tied: .copy), .limit(maximumByteCount)))

    let found = try CheckpointFile.read(folder.path)
    let tensors = try NamedTensors(huggingFace: found.graph)
    #expect(Set(tensors.entries.map(\.name)) == Set(map.huggingFace.map(\.name)))
    let joined = try OLMoNaming(map: map, budget: CopyBudget()).model(found.graph, tensors)
    try expect(document, skeleton, joined, toBe: source, in: folder)
  }

  @Test("An optimizer's state goes along and returns as the file it was", arguments: samples)
  func returnsOptimizer(_ sample: Sample) throws {
    let map = try TensorMap(sample.table, sample.dimensions)
    let source = Fixture.path(sample.testDescription + "/optim.pt")
    let checkpoint = try CheckpointFile.read(source)
    let skeleton = OLMoSidecar(kind: .optimizer, groupSize: map.dimensions.blockGroupSize)
    let document = try #require(try skeleton.document(of: checkpoint))
    let named = try HuggingFaceNaming(map: map).optimizer(checkpoint.graph)
    let folder = try Folder()
    let file = try folder.write(
      SafetensorsEncoder.encode(Folder.checkpoint(named), options: .init(tied: .copy)).plan,
      as: "optimizer.safetensors")

    let joined = try OLMoNaming(map: map, budget: CopyBudget()).optimizer(
      CheckpointFile.read(file).graph)
    try expect(document, skeleton, joined, toBe: source, in: folder)
  }

  /// Writes what a document and the tensors of a graph are, and compares it with a file.
  private func expect(
    _ document: [UInt8], _ skeleton: OLMoSidecar, _ graph: TensorGraph, toBe source: String,
    in folder: Folder
  ) throws {
    guard
      case .whole(let returned) = try skeleton.restore(
        document, tensorsOf: graph, droppingUnsafe: false)
    else {
      Issue.record("the skeleton does not fit")
      return
    }
    let plan = try TorchEncoder.encode(returned, options: .init(prefix: "x")).plan
    let path = try folder.write(plan, as: "returned.pt")
    #expect(try Folder.bytes(path) == Folder.bytes(source))
  }
}

/// A directory to write plans into.
private final class Folder {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  var path: String { directory.path }

  static func checkpoint(_ graph: TensorGraph) -> Checkpoint { Checkpoint(named: graph) }

  @discardableResult
  func write(_ plan: FilePlan, as name: String) throws -> String {
    let output = try StagedOutput(path: "\(path)/\(name)")
    try CopyEngine().run(plan, into: output)
    try output.commit()
    return "\(path)/\(name)"
  }

  func write(_ shards: SafetensorsShards) throws {
    for file in shards.files { try write(file.plan, as: file.name) }
    guard let index = shards.index else { return }
    var plan = FilePlan()
    plan.append(.literal(index.bytes))
    try write(plan, as: index.name)
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    let file = try FileSource(path: path)
    return try file.bytes(in: 0..<file.byteCount)
  }
}
