import CkptBase
import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptDistributed

@Suite("A distributed checkpoint is whole, or an error tells what is wrong")
struct DistributedReaderTests {
  private static func read(_ folder: DistributedFolder) throws -> Checkpoint {
    let directory = try folder.write()
    return try #require(
      try DistributedContainer().read(FilePath(directory.path), ReadingOptions()))
  }

  private static func text(_ checkpoint: Checkpoint) -> String {
    checkpoint.graph.description(of: checkpoint.graph.root)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var change: @Sendable (inout DistributedFolder) -> Void
    /// The state dict, or a part of the error.
    let expected: String
  }

  static let honest = [
    Case(
      testDescription: "rows", change: { _ in },
      expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7]}"),
    Case(
      testDescription: "columns",
      change: {
        $0.chunks = [
          .init(offsets: [0, 1], sizes: [3, 1]), .init(offsets: [0, 0], sizes: [3, 1]),
        ]
      }, expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7]}"),
    Case(
      testDescription: "a rank without rows",
      change: { $0.chunks.append(.init(offsets: [3, 0], sizes: [0, 2])) },
      expected: "{'model': {'w': tensor(uint8, [3, 2])}, 'steps': [7]}"),
    Case(
      testDescription: "a tensor without elements and chunks",
      change: {
        $0.chunks = []
        $0.shape = [0, 2]
      }, expected: "{'model': {'w': tensor(uint8, [0, 2])}, 'steps': [7]}"),
    Case(
      testDescription: "flat names", change: { $0.paths = nil },
      expected: "{'model.w': tensor(uint8, [3, 2]), 'steps.0': 7}"),
    Case(
      testDescription: "a list with a hole",
      change: { $0.paths = (.tuple(["l", 1]), .tuple(["s"])) },
      expected: "{'l': [None, tensor(uint8, [3, 2])], 's': 7}"),
  ]

  @Test("The state dict comes back", arguments: honest)
  func reads(_ test: Case) throws {
    var folder = DistributedFolder()
    test.change(&folder)
    let checkpoint = try Self.read(folder)
    #expect(Self.text(checkpoint) == test.expected)
  }

  static let faults = [
    Case(
      testDescription: "a hole", change: { $0.chunks.removeLast() },
      expected: "element [2, 0] of a tensor of shape [3, 2] is in no block"),
    Case(
      testDescription: "an overlap",
      change: { $0.chunks[1].offsets = [1, 0] }, expected: "is in two blocks"),
    Case(
      testDescription: "a chunk outside", change: { $0.chunks[1].offsets = [3, 0] },
      expected: "is not inside a tensor of [3, 2]"),
    Case(
      testDescription: "a negative offset", change: { $0.chunks[1].offsets = [-1, 0] },
      expected: "a size or offset is -1"),
    Case(
      testDescription: "a chunk of another rank",
      change: {
        $0.chunks[1].offsets = [2]
        $0.chunks[1].sizes = [2]
      }, expected: "is not inside a tensor of [3, 2]"),
    Case(
      testDescription: "an item of another shape", change: { $0.chunks[0].storedShape = [4, 1] },
      expected: "the metadata has uint8 [2, 2], the file uint8 [4, 1]"),
    Case(
      testDescription: "another dtype of the same size", change: { $0.dtype = "int8" },
      expected: "the metadata has int8 [2, 2], the file uint8 [2, 2]"),
    Case(
      testDescription: "sizes that overflow", change: { $0.shape = [1 << 40, 1 << 40] },
      expected: "overflows 64 bits"),
    Case(
      testDescription: "a huge tensor of small chunks", change: { $0.shape = [1 << 60, 2] },
      expected: "is in no block"),
    Case(
      testDescription: "a file above the directory",
      change: { $0.changePlace = { $0.path = "../__0_0.distcp" } },
      expected: "'../__0_0.distcp' is not inside the directory"),
    Case(
      testDescription: "an absolute path", change: { $0.changePlace = { $0.path = "/etc/passwd" } },
      expected: "'/etc/passwd' is not inside the directory"),
    Case(
      testDescription: "a path with NUL",
      change: { $0.changePlace = { $0.path = "__0_0.distcp\u{0}" } },
      expected: "is not inside the directory"),
    Case(
      testDescription: "a file that is missing",
      change: { $0.changePlace = { $0.path = "__1_0.distcp" } },
      expected: "no such file or directory"),
    Case(
      testDescription: "an offset beyond the file",
      change: { $0.changePlace = { $0.offset = 1_000_000 } }, expected: "the file"),
    Case(
      testDescription: "a negative length", change: { $0.changePlace = { $0.byteCount = -1 } },
      expected: "length -1"),
    Case(
      testDescription: "an offset and a length whose sum overflows",
      change: { $0.changePlace = { $0.byteCount = .int(.max) } }, expected: "the item has"),
    Case(
      testDescription: "an offset that is no integer",
      change: { $0.changePlace = { $0.offset = 0.5 } }, expected: "expected an integer, found 0.5"),
    Case(
      testDescription: "a path that is an object",
      change: { $0.changePlace = { $0.path = .new(.global("a", "B"), []) } },
      expected: "expected a string"),
    Case(
      testDescription: "a file that was cut off",
      change: { $0.changeFile = { $0.removeLast(10) } }, expected: "the file"),
    Case(
      testDescription: "two values of one path",
      change: { $0.paths = (.tuple(["a"]), .tuple(["a"])) }, expected: "two values have one path"),
    Case(
      testDescription: "a path through a value",
      change: { $0.paths = (.tuple(["a"]), .tuple(["a", "b"])) },
      expected: "a path goes through a value"),
    Case(
      testDescription: "an index that no list has",
      change: { $0.paths = (.tuple(["a", 1_000_000_000]), .tuple(["b"])) },
      expected: "a list has an element 1000000000"),
    Case(
      testDescription: "a negative index",
      change: { $0.paths = (.tuple(["a", -1]), .tuple(["b"])) },
      expected: "a list has an element -1"),
    Case(
      testDescription: "an empty path", change: { $0.paths = (.tuple([]), .tuple(["b"])) },
      expected: "a path of 0 steps"),
    Case(
      testDescription: "a value that would run code",
      change: { $0.value = .call(.global("os", "system"), ["true"]) },
      expected: "'os.system' is not allowed"),
    Case(
      testDescription: "a metadata that would run code",
      change: { $0.changePlace = { $0.path = .call(.global("os", "getcwd"), []) } },
      expected: "is not allowed"),
    Case(
      testDescription: "a web page", change: { $0.changeMetadata = { $0 = Array("<html>".utf8) } },
      expected: "this is not the pickle of a .metadata file"),
    Case(
      testDescription: "an empty metadata", change: { $0.changeMetadata = { $0 = [] } },
      expected: "the file is empty"),
  ]

  @Test("A fault is named and nothing is made up", arguments: faults)
  func refuses(_ test: Case) throws {
    var folder = DistributedFolder()
    test.change(&folder)
    let error = try #require(throws: CheckpointError.self) { try Self.read(folder) }
    #expect(error.description.contains(test.expected), "\(error.description)")
  }

  @Test("Every cut of the metadata, and a flipped bit in each byte, is an error or the same tensor")
  func survivesDamage() throws {
    let folder = DistributedFolder()
    let directory = try folder.write()
    let whole = try #require(directory.bytes(of: ".metadata"))
    var damaged: [[UInt8]] = (0..<whole.count).map { Array(whole[..<$0]) }
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 1 << (place % 8)
      damaged.append(bytes)
    }
    let options = ReadingOptions()
    for bytes in damaged {
      try directory.write(bytes, to: ".metadata")
      guard let found = try? DistributedContainer().read(FilePath(directory.path), options) else {
        continue
      }
      let tensors = found.graph.tensors
      #expect(tensors.allSatisfy { $0.shape == [3, 2] && $0.dtype == .uint8 })
    }
  }

  @Test("A directory without metadata was not saved to the end")
  func interrupted() throws {
    let directory = try TemporaryDirectory()
    try directory.write([0], to: "__0_0.distcp")
    let error = try #require(throws: CheckpointError.self) {
      try DistributedContainer().read(FilePath(directory.path), ReadingOptions())
    }
    #expect(error.code == .truncated)
  }
}
