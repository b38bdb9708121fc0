import CkptBase
import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptDistributed

@Suite("Parts of a distributed checkpoint in places of their own are one checkpoint")
struct DistributedPartsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var fill: @Sendable (TemporaryDirectory) throws -> Void
    /// The state dict, or a part of the error.
    let expected: String
  }

  private static func rows(_ rows: [Int], of shape: [Int] = [3, 2]) -> DistributedFolder {
    var folder = DistributedFolder()
    folder.shape = shape
    folder.chunks = rows.map { .init(offsets: [$0, 0], sizes: [1, 2]) }
    return folder
  }

  private static func write(
    _ rank: Int, _ folder: DistributedFolder, to directory: TemporaryDirectory
  ) throws {
    try folder.write(
      to: directory, file: "__\(rank)_0.distcp", metadata: "__\(rank).metadata")
  }

  private static var optimizer: DistributedFolder {
    var folder = DistributedFolder()
    folder.paths = (.tuple(["optimizer", "m"]), .tuple(["lr"]))
    return folder
  }

  static let honest = [
    Case(
      testDescription: "a model and an optimizer of accelerate",
      fill: {
        try DistributedFolder().write(to: $0, in: "pytorch_model_fsdp_0")
        try optimizer.write(to: $0, in: "optimizer_0")
      },
      expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7], "
        + "'optimizer': {'m': tensor(uint8, [3, 2])}, 'lr': 7}"),
    Case(
      testDescription: "two models of accelerate",
      fill: {
        try DistributedFolder().write(to: $0, in: "pytorch_model_fsdp_0")
        try DistributedFolder().write(to: $0, in: "pytorch_model_fsdp_1")
      },
      expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7], 'pytorch_model_fsdp_1': "
        + "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7]}}"),
    Case(
      testDescription: "meta.pt of Lightning",
      fill: {
        try DistributedFolder().write(to: $0)
        let meta: PickledValue = ["epoch": 2]
        try $0.write(
          ZipBuilder.torch(pickle: meta.pickle(), storages: []).bytes(), to: "meta.pt")
      },
      expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7], 'epoch': 2}"),
    Case(
      testDescription: "metadata of each rank, with rows of their own",
      fill: {
        try write(0, rows([0]), to: $0)
        try write(1, rows([2, 1]), to: $0)
      }, expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7]}"),
    Case(
      testDescription: "metadata of each rank, with equal rows",
      fill: {
        try write(0, rows([0, 1, 2]), to: $0)
        try write(1, rows([0, 1, 2]), to: $0)
      }, expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7]}"),
  ]

  @Test("The entries of all parts come back", arguments: honest)
  func reads(_ test: Case) throws {
    let directory = try TemporaryDirectory()
    try test.fill(directory)
    let place = FilePath(directory.path)
    #expect(DistributedContainer().recognizes(entries: Set(try place.entryNames())))
    let checkpoint = try #require(try DistributedContainer().read(place, ReadingOptions()))
    #expect(checkpoint.graph.description(of: checkpoint.graph.root) == test.expected)
    #expect(checkpoint.container is DistributedDescription)
  }

  static let faults = [
    Case(
      testDescription: "a model that was not saved to the end",
      fill: {
        try $0.makeDirectory("pytorch_model_fsdp_0")
        try $0.write([0], to: "pytorch_model_fsdp_0/__0_0.distcp")
        try optimizer.write(to: $0, in: "optimizer_0")
      }, expected: "pytorch_model_fsdp_0: this distributed checkpoint has no .metadata"),
    Case(
      testDescription: "an optimizer that was not saved to the end",
      fill: {
        try DistributedFolder().write(to: $0, in: "pytorch_model_fsdp_0")
        try $0.makeDirectory("optimizer_0")
        try $0.write([0], to: "optimizer_0/.metadata.tmp")
      }, expected: "optimizer_0: this distributed checkpoint has no .metadata"),
    Case(
      testDescription: "a meta.pt that is no dict",
      fill: {
        try DistributedFolder().write(to: $0)
        let meta: PickledValue = 7
        try $0.write(
          ZipBuilder.torch(pickle: meta.pickle(), storages: []).bytes(), to: "meta.pt")
      }, expected: "meta.pt: expected a dict, found 7"),
    Case(
      testDescription: "a rank without metadata",
      fill: {
        try write(0, rows([0]), to: $0)
        try write(2, rows([1, 2]), to: $0)
      }, expected: "the metadata of rank 1 is missing"),
    Case(
      testDescription: "the metadata of the last rank is missing",
      fill: { try write(0, rows([0, 1]), to: $0) }, expected: "is in no block"),
    Case(
      testDescription: "ranks that disagree about the shape",
      fill: {
        try write(0, rows([0]), to: $0)
        try write(1, rows([1, 2], of: [4, 2]), to: $0)
      }, expected: "'model.w' has another dtype or shape on another rank"),
  ]

  @Test("A missing or contradicting part is named", arguments: faults)
  func refuses(_ test: Case) throws {
    let directory = try TemporaryDirectory()
    try test.fill(directory)
    let error = try #require(throws: CheckpointError.self) {
      try DistributedContainer().read(FilePath(directory.path), ReadingOptions())
    }
    #expect(error.description.contains(test.expected), "\(error.description)")
  }
}
