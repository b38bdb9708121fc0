import CkptBase
import CkptContainer
import CkptGraph
import CkptLegacy
import CkptTestSupport
import CkptTorch
import Testing

/// The tar archive of PyTorch 0.1.
struct TorchTarTests {
  /// The members of an archive, which a test may spoil.
  fileprivate struct Archive {
    var storages: [[UInt8]] = [
      PickledValue.int(1).pickle(),
      PickledValue.tuple([7, "cpu", .global("torch", "FloatStorage")]).pickle(),
      littleEndian(4) + [UInt8](repeating: 1, count: 16),
      PickledValue.list([.tuple([8, 7, 1, 2])]).pickle(),
    ]
    var tensors: [[UInt8]] = [
      PickledValue.int(2).pickle(),
      PickledValue.tuple([1, 7, .global("torch", "FloatTensor")]).pickle(),
      littleEndian(Int32(2)) + littleEndian(Int32(0))
        + [2, 2, 2, 1, 0].flatMap { littleEndian($0) },
      PickledValue.tuple([2, 8, .global("torch", "FloatTensor")]).pickle(),
      littleEndian(Int32(1)) + littleEndian(Int32(9)) + [2, 1, 0].flatMap { littleEndian($0) },
    ]
    var object: PickledValue = [
      "w": .persistent(1), "part": .persistent(2), "bare": .persistent(8), "again": .persistent(1),
    ]

    var bytes: [UInt8] {
      TarFile([
        ("sys_info", PickledValue.dict([]).pickle()), ("pickle", object.pickle()),
        ("tensors", tensors.flatMap { $0 }), ("storages", storages.flatMap { $0 }),
      ]).bytes
    }
  }

  private static func read(_ bytes: [UInt8]) throws -> Checkpoint {
    var look = try SourceLook(at: MemorySource(bytes, name: "m.tar"))
    #expect(try TorchTarContainer().recognizesStart(of: &look))
    return try TorchTarContainer().read(&look, ReadingOptions())
  }

  @Test("Tensors and storages are found by their keys")
  func reads() throws {
    let checkpoint = try Self.read(Archive().bytes)
    let tensors = checkpoint.graph.tensors
    #expect(checkpoint.container?.kind == "torch-tar")
    #expect(checkpoint.graph.storages.map(\.byteCount) == [16])
    #expect(Set(tensors.map(\.shape)) == [[2, 2], [2]])
    #expect(tensors.filter { $0.shape == [2] }.allSatisfy { $0.offset == 1 })
    #expect(tensors.count == 4)
  }

  @Test("A class with its source is the class")
  func classes() throws {
    var archive = Archive()
    let type = PickledValue.persistent(
      .tuple([.global("net", "Net"), "net.py", "class Net: pass"]))
    archive.object = .new(type, [])
    let graph = try Self.read(archive.bytes).graph
    #expect(graph.description(of: graph.root) == "Net()")
  }

  @Test("Ids of other programs, which are tuples without their operation, are ids")
  func tuples() throws {
    var archive = Archive()
    archive.object = .tensor(
      .tuple(["storage", .global("torch", "FloatStorage"), "7", "cpu", 4]), [4])
    #expect(try Self.read(archive.bytes).graph.tensors.map(\.shape) == [[4]])
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    let bytes: @Sendable () -> [UInt8]

    fileprivate init(
      _ name: String, _ message: String, _ change: @escaping @Sendable (inout Archive) -> Void
    ) {
      (testDescription, self.message) = (name, message)
      bytes = {
        var archive = Archive()
        change(&archive)
        return archive.bytes
      }
    }
  }

  static let refusals = [
    Refusal("a key that is not there", "'9' is no tensor or storage of the archive") {
      $0.object = .persistent(9)
    },
    Refusal("a part of no storage", "storage '8' is a part of '6', which is not in the archive") {
      $0.storages[3] = PickledValue.list([.tuple([8, 6, 1, 2])]).pickle()
    },
    Refusal(
      "a part that leaves its storage",
      "storage '8' has 4 elements from number 1 on of storage '7', which has 4"
    ) { $0.storages[3] = PickledValue.list([.tuple([8, 7, 1, 4])]).pickle() },
    Refusal("more elements than there are", "8388608 bytes are announced, 44 are left") {
      $0.storages[2].replaceSubrange(0..<8, with: littleEndian(1 << 21))
    },
    Refusal("a negative number of elements", "-4 bytes are announced, 44 are left") {
      $0.storages[2].replaceSubrange(0..<8, with: littleEndian(-1))
    },
    Refusal(
      "a tensor that leaves its storage", "a tensor reaches element 5 of a storage that has 4"
    ) { $0.tensors[2][8] = 3 },
    Refusal("a tensor with a negative size", "tensor '1' has a negative size or stride") {
      $0.tensors[2].replaceSubrange(8..<16, with: littleEndian(-2))
    },
    Refusal("too many dimensions", "a tensor has 65538 dimensions") { $0.tensors[2][2] = 1 },
    Refusal("bytes behind the last tensor", "3 bytes follow what torch.load reads") {
      $0.tensors.append([1, 2, 3])
    },
    Refusal("a number that is none", "found {}, expected a number") {
      $0.tensors[0] = PickledValue.dict([]).pickle()
    },
    Refusal(
      "a storage of an unknown class",
      "found (7, 'cpu', m.C), expected a storage's key, device and class"
    ) {
      $0.storages[1] = PickledValue.tuple([7, "cpu", .global("m", "C")]).pickle()
    },
  ]

  @Test("An archive that torch.load would not load is refused", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let error = #expect(throws: CheckpointError.self) { try Self.read(test.bytes()) }
    #expect(error?.message == test.message)
    #expect(error?.path.count == 2)
  }

  @Test("Dangerous names in any member are refused", arguments: ["storages", "pickle"])
  func dangerous(_ member: String) throws {
    var archive = Archive()
    let call = PickledValue.call(.global("posix", "system"), ["ls"])
    if member == "pickle" { archive.object = call } else { archive.storages[3] = call.pickle() }
    let error = #expect(throws: CheckpointError.self) { try Self.read(archive.bytes) }
    #expect(error?.code == .forbidden)
    #expect(error?.path == ["m.tar", member])
  }

  @Test("Cut before the end of its last member, an archive is refused or something else")
  func cuts() throws {
    let bytes = Archive().bytes
    let archive = try TarArchive(reading: MemorySource(bytes, name: "m.tar"))
    let end = try #require(archive.members.last).range.upperBound
    for count in stride(from: 512, to: end, by: 31) {
      var look = try SourceLook(at: MemorySource(Array(bytes[..<count]), name: "m.tar"))
      guard try TorchTarContainer().recognizesStart(of: &look) else { continue }
      #expect(throws: CheckpointError.self, "\(count)") {
        try TorchTarContainer().read(&look, ReadingOptions())
      }
    }
  }

  @Test("Members have the names and sizes that headers in front of them tell")
  func extensions() throws {
    let pax = Array("15 path=long/a\n12 size=600\n".utf8)
    let gnu = Array("another/name\0".utf8)
    func padded(_ bytes: [UInt8]) -> [UInt8] {
      bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }
    let bytes =
      TarFile.header("x", byteCount: pax.count, type: "x") + padded(pax)
      + TarFile.header("short", byteCount: 0) + padded([UInt8](repeating: 7, count: 600))
      + TarFile.header("l", byteCount: gnu.count, type: "L") + padded(gnu)
      + TarFile.header("short", byteCount: 3) + padded([1, 2, 3])
      + [UInt8](repeating: 0, count: 1024)
    let archive = try TarArchive(reading: MemorySource(bytes, name: "m.tar"))
    #expect(archive.fault == nil)
    #expect(archive.end == bytes.count - 1024)
    let files = archive.members.filter(\.isFile)
    #expect(files.map(\.name) == ["long/a", "another/name"])
    #expect(files.map(\.range.count) == [600, 3])
  }

  @Test("A header with a wrong checksum ends an archive")
  func checksum() throws {
    var bytes = TarFile([("a", [1]), ("b", [2])]).bytes
    bytes[1024] = UInt8(ascii: "c")
    let archive = try TarArchive(reading: MemorySource(bytes, name: "m.tar"))
    #expect(archive.members.map(\.name) == ["a"])
    #expect(archive.fault?.message == "this is no header of a member")
    #expect(archive.end == 1024)
  }
}
