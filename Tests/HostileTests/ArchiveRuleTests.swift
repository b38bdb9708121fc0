import CkptBase
import CkptFormats
import CkptHostileSupport
import CkptSkeleton
import CkptTestSupport
import Testing

/// Archives that are sound as ZIP and that no `torch.save` wrote: what torch and other readers make
/// of them differs.
@Suite("Archives that readers take in different ways")
struct ArchiveRuleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// The code and the words of the refusal; `nil` for a file that is converted there and back.
    var refusal: (code: CheckpointError.Code, words: String)?
    let file: @Sendable () -> [UInt8]
    var testDescription: String { name }
  }

  private static func tensor(_ key: String, _ type: String = "ByteStorage") -> PickledValue {
    .tensor(.storage(type, 2, key: .str(key)), [2])
  }

  /// The archive of an object and two storages, with one more record or another for the last one.
  private static func archive(
    _ object: PickledValue, adding record: ZipBuilder.Record? = nil
  ) -> ZipBuilder {
    var builder = ZipBuilder.torch(pickle: object.pickle(), storages: [[1, 2], [3, 4]])
    if let record { builder.records.append(record) }
    return builder
  }

  static let cases = [
    Case(name: "what the others are made of") { archive([tensor("0"), tensor("1")]).bytes() },
    Case(
      name: "a storage whose key leads out of its directory, to a record there is",
      refusal: (.malformed, "storage '../data.pkl' is not in the archive")
    ) {
      archive([tensor("../data.pkl")]).bytes()
    },
    Case(
      name: "a storage whose key leads out of its directory, to a record named so",
      refusal: (.malformed, "storage '../xy' is not in the archive")
    ) {
      archive([tensor("../xy")], adding: .init("archive/data/../xy", [5, 6])).bytes()
    },
    Case(
      name: "a storage whose key leads further down",
      refusal: (.malformed, "storage 'x/0' is not in the archive")
    ) {
      archive([tensor("x/0")], adding: .init("archive/data/x/0", [5, 6])).bytes()
    },
    Case(
      name: "a storage without a key", refusal: (.malformed, "storage '' is not in the archive")
    ) {
      archive(
        [.tensor(.storage("ByteStorage", 0, key: ""), [0])], adding: .init("archive/data/", [])
      )
      .bytes()
    },
    Case(
      name: "two keys that differ in case only, and one record",
      refusal: (.malformed, "storage 'A' is not in the archive")
    ) {
      archive([tensor("a"), tensor("A")], adding: .init("archive/data/a", [5, 6])).bytes()
    },
    Case(
      name: "a record whose name leads out of the archive",
      refusal: (.malformed, "'../../x' is not a valid record name")
    ) {
      archive([tensor("0")], adding: .init("archive/../../x", [5, 6])).bytes()
    },
    Case(
      name: "a record whose name has an empty part",
      refusal: (.malformed, "'extra//x' is not a valid record name")
    ) {
      archive([tensor("0")], adding: .init("archive/extra//x", [5, 6])).bytes()
    },
    Case(
      name: "a directory that is the one above",
      refusal: (.malformed, "'..' is not a valid directory of an archive")
    ) {
      ZipBuilder.torch(pickle: PickledValue.none.pickle(), storages: [], prefix: "..").bytes()
    },
    Case(
      name: "a pickle in capitals, which torch finds and scanners overlook",
      refusal: (.unsupported, "it has no record 'data.pkl'")
    ) {
      var builder = archive([tensor("0")])
      builder.records[0].name = Array("archive/DATA.PKL".utf8)
      return builder.bytes()
    },
    Case(
      name: "two names that differ beyond ASCII in case only",
      refusal: (.malformed, "two records are named '\u{c9}'")
    ) {
      var builder = archive([tensor("0")], adding: .init("archive/\u{e9}", [5]))
      builder.records.append(.init("archive/\u{c9}", [6]))
      return builder.bytes()
    },
    Case(name: "a device in bytes") {
      let id: [PickledValue] = [
        "storage", .global("torch", "ByteStorage"), "0", .bytes(Array("cuda:3".utf8)), 2,
      ]
      return archive([.tensor(.persistent(.tuple(id)), [2])]).bytes()
    },
    Case(name: "one storage under two types") {
      archive([tensor("0", "ByteStorage"), tensor("0", "CharStorage")]).bytes()
    },
    Case(name: "a record that no tensor uses, far larger than those they use") {
      archive([tensor("0")], adding: .init("archive/data/2", [UInt8](repeating: 7, count: 5000)))
        .bytes()
    },
    Case(
      name: "two archives, one behind the other",
      refusal: (.malformed, "the archive has two tables of contents, at byte ")
    ) {
      archive([tensor("0")]).bytes() + archive([tensor("1")]).bytes()
    },
    Case(name: "storages under the addresses they once had") {
      archive(
        [tensor("94308821128336")], adding: .init("archive/data/94308821128336", [5, 6])
      ).bytes()
    },
    Case(name: "bytes behind the pickle's end") {
      ZipBuilder.torch(
        pickle: PickledValue.list([tensor("0")]).pickle() + Array("cos\nsystem\n)R.".utf8),
        storages: [[1, 2]]
      ).bytes()
    },
  ]

  @Test(
    "They are refused in precise words, or are the same object there and back", arguments: cases)
  func reads(_ test: Case) throws {
    let bytes = test.file()
    if let (code, words) = test.refusal {
      let error = #expect(throws: CheckpointError.self) {
        try CheckpointFile.read(TemporaryFile.holding(bytes))
      }
      #expect(error?.code == code)
      #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
    } else {
      #expect(try HostileFile.check(bytes, layout: .plain) == .survived)
      #expect(try HostileFile.check(bytes, layout: .olmo) == .survived)
    }
  }
}
