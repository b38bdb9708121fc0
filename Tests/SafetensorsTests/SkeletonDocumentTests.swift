import CkptBase
import CkptContainer
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing
import CkptTorch

@testable import CkptSafetensors

/// Documents that were cut, changed or given other tensors than they were written for.
struct SkeletonDocumentTests {
  /// A dict with two tensors and something beside them; the elements of `w` and `v`.
  static func document() throws -> (bytes: [UInt8], graph: TensorGraph, names: [TensorID: String]) {
    let object: PickledValue = [
      "w": .tensor(.storage("FloatStorage", 4, key: "0"), [2, 2]),
      "v": .tensor(.storage("FloatStorage", 3, key: "1"), [3]),
      "hook": .global("m", "C"),
    ]
    let archive = ZipBuilder.torch(
      pickle: object.pickle(),
      storages: [[UInt8](repeating: 1, count: 16), [UInt8](repeating: 2, count: 12)])
    let checkpoint = try TorchReader.read(TemporaryFile.holding(archive.bytes()))
    var names: [TensorID: String] = [:]
    for (id, name) in zip(checkpoint.graph.reachableTensors(), ["w", "v"]) { names[id] = name }
    let bytes = DetachedSkeleton.write(
      checkpoint.graph, from: checkpoint.archive, names: names)
    return (bytes, checkpoint.graph, names)
  }

  static func contents() throws -> [String: DetachedSkeleton.Contents] {
    let (_, graph, names) = try document()
    return Dictionary(
      uniqueKeysWithValues: names.map { ($1, DetachedSkeleton.Contents(graph[$0], of: graph)) })
  }

  @Test("A document with the tensors it was written for is the object again")
  func whole() throws {
    let (bytes, _, names) = try Self.document()
    var document = try DetachedSkeleton(reading: bytes, droppingUnsafe: false)
    let contents = try Self.contents()
    let reason = try document.fill { contents[$0] }
    #expect(reason == nil)
    #expect(document.graph.reachableTensors().count == names.count)
    let again = zip(document.graph.reachableTensors(), ["w", "v"])
    let written = DetachedSkeleton.write(
      document.graph, from: document.origin, names: Dictionary(uniqueKeysWithValues: again))
    #expect(written == bytes)
  }

  struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let reason: String
    let change: @Sendable (inout [String: DetachedSkeleton.Contents]) -> Void
  }

  static let changes = [
    Change(testDescription: "gone", reason: "tensor 'v' is missing") { $0["v"] = nil },
    Change(
      testDescription: "another shape", reason: "tensor 'v' was float32 [3] and is now float32 [4]"
    ) {
      $0["v"]?.shape = [4]
    },
    Change(
      testDescription: "another type", reason: "tensor 'v' was float32 [3] and is now float16 [3]"
    ) {
      $0["v"]?.dtype = .float16
    },
  ]

  @Test("A tensor that is not what it was is named, with the change", arguments: changes)
  func changed(_ test: Change) throws {
    var contents = try Self.contents()
    test.change(&contents)
    var document = try DetachedSkeleton(
      reading: Self.document().bytes, droppingUnsafe: false)
    let reason = try document.fill { [contents] name in contents[name] }
    #expect(reason == test.reason)
  }

  @Test("A document that is cut off anywhere is an error")
  func cut() throws {
    let bytes = try Self.document().bytes
    for count in bytes.indices {
      #expect(throws: CheckpointError.self, "\(count) bytes") {
        try DetachedSkeleton(reading: Array(bytes[..<count]), droppingUnsafe: false)
      }
    }
  }

  @Test("Whatever byte of a document has a bit flipped, it is read and filled or refused")
  func flipped() throws {
    let bytes = try Self.document().bytes
    let contents = try Self.contents()
    var refused = 0
    for index in bytes.indices {
      var bytes = bytes
      bytes[index] ^= 1 << (index % 8)
      do {
        var document = try DetachedSkeleton(reading: bytes, droppingUnsafe: false)
        if try document.fill({ contents[$0] }) != nil { refused += 1 }
      } catch {
        refused += 1
      }
    }
    #expect(refused > bytes.count / 2)
  }

  @Test("Text that is not UTF-8 is refused")
  func notUTF8() throws {
    var bytes = try Self.document().bytes
    bytes[10] = 0xff
    let error = #expect(throws: CheckpointError.self) {
      try DetachedSkeleton(reading: bytes, droppingUnsafe: false)
    }
    #expect(error?.message == "a skeleton must be UTF-8 text")
  }

  @Test("What can run code is refused, and dropped when that is asked for")
  func hostile() throws {
    let text = String(decoding: try Self.document().bytes, as: UTF8.self)
    let hostile = text.replacing(#""m","C""#, with: #""posix","system""#)
    #expect(hostile != text)
    let error = #expect(throws: CheckpointError.self) {
      try DetachedSkeleton(reading: Array(hostile.utf8), droppingUnsafe: false)
    }
    #expect(error?.code == .forbidden)
    let document = try DetachedSkeleton(reading: Array(hostile.utf8), droppingUnsafe: true)
    #expect(document.warnings.contains { $0.contains("posix.system") })
  }
}
