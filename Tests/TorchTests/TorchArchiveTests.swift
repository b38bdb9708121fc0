import CkptBase
import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing
import CkptTorch

/// Detection of `torch.save` archives among ZIP archives.
struct TorchArchiveTests {
  private typealias Record = ZipBuilder.Record

  private static let pickle = PickledValue.none.pickle()

  private func open(_ builder: ZipBuilder) throws -> TorchArchive {
    try TorchArchive(reading: TemporaryFile.holding(builder.bytes()))
  }

  private func describe(_ builder: ZipBuilder) throws -> TorchArchiveDescription {
    try open(builder).describe(pickleProtocol: 2)
  }

  @Test(
    "The directory is the one in the archive, whatever the file is called",
    arguments: ["archive", "model", "a.b", ".", "sp ace", "é"])
  func prefix(_ name: String) throws {
    let builder = ZipBuilder.torch(pickle: Self.pickle, storages: [[7]], prefix: name)
    let archive = try open(builder)
    #expect(archive.prefix == name)
    #expect(archive.pickleEntryName == "\(name)/data.pkl")
    #expect(try archive.readPickle() == Self.pickle)
    #expect(archive.storageRegion(key: "0")?.name == "\(name)/data/0")
  }

  @Test("A slash with an accent behind it is a slash")
  func accents() throws {
    var builder = ZipBuilder.torch(pickle: Self.pickle, storages: [[7]], prefix: "a\u{301}")
    builder.records.append(Record("a\u{301}/\u{301}b", [1]))
    builder.records.append(Record("a\u{301}/data/\u{301}c", [2]))
    builder.records.append(Record("a\u{301}/data/d/\u{301}e", [3]))
    let description = try describe(builder)
    #expect(
      description.records.suffix(3).map(\.name).map { Array($0.utf8) }
        == ["\u{301}b", "data/\u{301}c", "data/d/\u{301}e"].map { Array($0.utf8) })
    let isStorage = description.records.map { if case .storage = $0 { true } else { false } }
    #expect(isStorage.suffix(3) == [false, true, false])
  }

  @Test("Records are listed by their names after the directory, storages apart")
  func records() throws {
    let description = try describe(.torch(pickle: Self.pickle, storages: [[7], [8, 9]]))
    let names = description.records.map { record in
      switch record {
      case .pickle(let name): "pickle \(name)"
      case .storage(let name, let byteCount): "storage \(name) \(byteCount)"
      case .other(let name, let bytes): "other \(name) \(bytes.count)"
      case .compressed(let name, let bytes, _): "compressed \(name) \(bytes.count)"
      }
    }
    #expect(
      names == [
        "pickle data.pkl", "other .format_version 1", "other .storage_alignment 2",
        "other byteorder 6", "storage data/0 1", "storage data/1 2", "other version 2",
        "other .data/serialization_id 40",
      ])
  }

  struct Refusal: CustomTestStringConvertible {
    var testDescription: String
    var builder: ZipBuilder
    var code: CheckpointError.Code
    var text: String
  }

  private static let notTorch = "a ZIP archive that torch.save did not write: "

  static let refusals = [
    Refusal(
      testDescription: "no entries", builder: ZipBuilder([]), code: .malformed,
      text: "the archive is empty"),
    Refusal(
      testDescription: "an entry outside of every directory",
      builder: ZipBuilder([Record("data.pkl", pickle)]), code: .unsupported,
      text: notTorch + "its first entry 'data.pkl' is not in a directory"),
    Refusal(
      testDescription: "an entry of another directory",
      builder: ZipBuilder([Record("a/data.pkl", pickle), Record("b/version", [])]),
      code: .unsupported, text: notTorch + "'b/version' is outside of the directory 'a/'"),
    Refusal(
      testDescription: "an entry whose directory only begins alike",
      builder: ZipBuilder([Record("a/data.pkl", pickle), Record("ab/version", [])]),
      code: .unsupported, text: notTorch + "'ab/version' is outside of the directory 'a/'"),
    Refusal(
      testDescription: "no pickle", builder: ZipBuilder([Record("a/version", [])]),
      code: .unsupported, text: notTorch + "it has no record 'data.pkl'"),
    Refusal(
      testDescription: "a pickle in a directory below",
      builder: ZipBuilder([Record("a/b/data.pkl", pickle)]), code: .unsupported,
      text: notTorch + "it has no record 'data.pkl'"),
    Refusal(
      testDescription: "a byte order that does not exist",
      builder: withByteOrder("middle"), code: .malformed,
      text: "a/byteorder: the byte order is 'middle', not 'little' or 'big'"),
    Refusal(
      testDescription: "a byte order with a line feed behind", builder: withByteOrder("little\n"),
      code: .malformed, text: "a/byteorder: the byte order is 'little\n', not 'little' or 'big'"),
    Refusal(
      testDescription: "a byte order in capitals", builder: withByteOrder("BIG"), code: .malformed,
      text: "a/byteorder: the byte order is 'BIG', not 'little' or 'big'"),
    Refusal(
      testDescription: "an empty byte order", builder: withByteOrder(""), code: .malformed,
      text: "a/byteorder: the byte order is '', not 'little' or 'big'"),
    Refusal(
      testDescription: "a byte order of a kilobyte",
      builder: withByteOrder(String(repeating: "x", count: 1024)), code: .limitExceeded,
      text: "a/byteorder: the record has 1024 bytes, but the limit is 64"),
  ]

  static let foreign: [(entries: [String], words: String)] = [
    (["m/archive_format", "m/models/model.json"], "this is a program of torch.export.save"),
    (["serialized_exported_program.json", "version"], "this is a program of torch.export.save"),
    (["p/.data/extern_modules", "p/model/model.pkl"], "this is a package of torch.package"),
    (["metadata.json", "config.json", "model.weights.h5"], "this is a Keras model"),
    (["weight.npy", "bias.npy"], "this is an archive of NumPy arrays (.npz)"),
    (["folder/model.pt"], "this is a ZIP archive with a checkpoint in it"),
  ]

  @Test("An archive of another program is named by its entries", arguments: foreign)
  func namesForeign(_ entries: [String], _ words: String) throws {
    let archive = ZipBuilder(entries.map { Record($0, []) })
    let error = #expect(throws: CheckpointError.self) { try describe(archive) }
    #expect(error?.message == words + ", not a file of torch.save")
    #expect(error?.code == .unsupported)
    #expect(error?.remedy != nil)
  }

  private static func withByteOrder(_ text: String) -> ZipBuilder {
    ZipBuilder([Record("a/data.pkl", pickle), Record("a/byteorder", Array(text.utf8))])
  }

  @Test("An archive that torch did not write is refused in its words", arguments: refusals)
  func refusal(_ test: Refusal) throws {
    let error = #expect(throws: CheckpointError.self) { try open(test.builder) }
    #expect(error?.code == test.code)
    #expect(error?.description.hasSuffix(test.text) == true, "\(error?.description ?? "")")
  }

  @Test("Numbers are little-endian unless the archive says otherwise")
  func byteOrder() throws {
    #expect(try !open(Self.withByteOrder("little")).isBigEndian)
    #expect(try open(Self.withByteOrder("big")).isBigEndian)
    #expect(try !open(ZipBuilder([Record("a/data.pkl", Self.pickle)])).isBigEndian)
  }

  @Test("A big-endian archive has big-endian storages")
  func bigEndianStorage() throws {
    var builder = ZipBuilder.torch(
      pickle: PickledValue.tensor(.storage("ShortStorage", 1), []).pickle(), storages: [[0, 1]])
    builder.records[3] = Record("archive/byteorder", Array("big".utf8))
    let checkpoint = try TorchFile.read(builder)
    #expect(checkpoint.graph.storages.map(\.isBigEndian) == [true])
  }

  @Test("Entries for directories, which other programs add, are no records")
  func directories() throws {
    var builder = ZipBuilder([
      Record("a/", []), Record("a/data/", []), Record("a/data.pkl", Self.pickle),
      Record("a/data/0", [1]),
    ])
    builder.alignment = nil
    builder.hasDataDescriptors = false
    builder.hasZip64EndRecord = false
    let description = try describe(builder)
    #expect(description.records.count == 2)
    #expect(description.writer == "repacked by another program")
  }

  @Test("TorchScript is known by its constants")
  func torchScript() throws {
    let records = [
      Record("a/data.pkl", Self.pickle), Record("a/code/__torch__.py", [1]),
      Record("a/constants.pkl", Self.pickle),
    ]
    #expect(try describe(ZipBuilder(records)).archiveFormat == .torchScript)
    #expect(try describe(ZipBuilder(Array(records.dropLast()))).archiveFormat == .zip)
  }

  @Test("Only what lies in the directory of storages itself is a storage")
  func storages() throws {
    let records = [
      Record("a/data.pkl", Self.pickle), Record("a/data/0", [1]), Record("a/data/x/1", [2]),
      Record("a/database", [3]), Record("a/.data/1", [4]), Record("a/data/", []),
      Record("a/data/../2", [5]),
    ]
    let archive = try open(ZipBuilder(records))
    #expect(archive.regions(besides: []).map(\.name) == ["a/data/0"])
    for key in ["1", "x/1", "../2", "../data.pkl", ""] {
      #expect(archive.storageRegion(key: key) == nil, "'\(key)'")
    }
  }

  struct AlignmentCase: CustomTestStringConvertible {
    var testDescription: String
    var isTorchs: Bool
    var announced: String?
    var alignment: Int
  }

  static let alignments = [
    AlignmentCase(
      testDescription: "torch before 2.7", isTorchs: true, announced: nil, alignment: 64),
    AlignmentCase(
      testDescription: "torch that names 1", isTorchs: true, announced: "1", alignment: 1),
    AlignmentCase(
      testDescription: "torch that names 4096", isTorchs: true, announced: "4096",
      alignment: 4096),
  ]

  @Test("The alignment is the one the archive names", arguments: alignments)
  func alignment(_ test: AlignmentCase) throws {
    var records = [Record("a/data.pkl", Self.pickle)]
    if let text = test.announced {
      records.append(Record("a/.storage_alignment", Array(text.utf8)))
    }
    var builder = ZipBuilder(records)
    builder.alignment = test.alignment
    #expect(try describe(builder).alignment == test.alignment)
  }

  @Test("Records beside pickle and storages are bounded together")
  func smallRecords() throws {
    var large = Record("a/code/1", [])
    large.byteCount = Limits.smallRecordBytes
    large.holeByteCount = large.byteCount
    let records = [Record("a/data.pkl", Self.pickle), Record("a/code/0", [1]), large]
    let (runs, byteCount) = ZipBuilder(records).runs()
    let archive = try TorchArchive(
      reading: TemporaryFile.holding(runs, byteCount: byteCount))
    let error = #expect(throws: CheckpointError.self) {
      try archive.describe(pickleProtocol: 2)
    }
    #expect(error?.code == .limitExceeded)
  }
}
