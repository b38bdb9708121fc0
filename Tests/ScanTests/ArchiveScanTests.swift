import CkptFormats
import CkptScan
import CkptTestSupport
import Testing

struct ArchiveScanTests {
  typealias Case = FileScanTests.Case
  typealias Record = ZipBuilder.Record

  static let pickle = Hostile.pickle

  static let hidden = [
    Case("a second pickle by its name", Hostile.archive, [.dangerous, .known]) {
      $0.records.append(Record("archive/extra.pkl", pickle))
    },
    Case("a second pickle under another name", Hostile.archive, [.dangerous, .known]) {
      $0.records.append(Record("archive/notes.txt", pickle))
    },
    Case("a storage that is a pickle", Hostile.archive, [.dangerous, .suspicious, .known]) {
      $0.records.append(Record("archive/data/1", pickle))
    },
    Case(
      "a large storage that begins with a pickle", Hostile.archive,
      [.dangerous, .suspicious, .known]
    ) {
      $0.records.append(
        Record("archive/data/1", pickle + [UInt8](repeating: 1, count: 2 << 20)))
    },
    Case(
      "a large storage that is a pickle of many bytes", Hostile.archive,
      [.dangerous, .suspicious, .known]
    ) {
      let value = PickledValue.list([
        .global("collections", "OrderedDict"), .bytes([UInt8](repeating: 1, count: 2 << 20)),
        Hostile.call,
      ])
      $0.records.append(Record("archive/data/1", value.pickle(protocol: 3)))
    },
    Case("a storage that was filled in later, without a checksum", Hostile.archive, [.known]) {
      $0.records[4].stored = [1, 2, 3, 4]
      $0.records[4].crc32 = 0
    },
    Case("a pickle without a checksum", Hostile.archive, [.broken, .known]) {
      $0.records[0].crc32 = 0
    },
    Case("TorchScript constants", Hostile.archive, [.dangerous, .known]) {
      $0.records.append(Record("archive/constants.pkl", pickle))
    },
    Case("TorchScript code", Hostile.archive, [.opaque, .known]) {
      $0.records.append(Record("archive/code/__torch__.py", Array("pass".utf8)))
    },
    Case("an archive in an archive", Hostile.archive, [.dangerous, .known]) {
      $0.records.append(Record("archive/extra/inner.zip", Hostile.hostileArchive.bytes()))
    },
    Case("a tar archive in an archive", Hostile.archive, [.dangerous, .known]) {
      $0.records.append(Record("archive/extra/a.tar", Hostile.tar([("x", pickle)])))
    },
    Case("an array of objects", Hostile.archive, [.dangerous, .known]) {
      $0.records.append(Record("a.npy", Hostile.array("|O", pickle)))
    },
    Case("lists and pickles as torch.package has them", Hostile.archive, [.known]) {
      $0.records.append(
        Record("archive/.data/extern_modules", Array("collections\nos\nsys\n".utf8)))
      $0.records.append(Record("archive/model/model.pkl", Hostile.harmless))
      $0.records.append(Record("archive/bytecode.pkl", Hostile.harmless))
    },
    Case("a compressed pickle", Hostile.archive, [.dangerous]) {
      $0.records[0] = Record("archive/data.pkl", pickle, deflated: Deflate.stored(pickle))
    },
    Case("a pickle behind the archive", Hostile.archive, [.dangerous, .suspicious, .known]) {
      $0.trailing = pickle
    },
    Case("a pickle in the comment", Hostile.archive, [.dangerous, .suspicious, .known]) {
      $0.comment = pickle
    },
    Case("a pickle before the archive", Hostile.archive, [.dangerous, .suspicious, .known]) {
      $0.leading = pickle
    },
    Case(
      "a safetensors file before the archive", Hostile.hostileArchive, unusual
    ) {
      $0.leading = Hostile.safetensors([("w", [UInt8](repeating: 0, count: 5000))])
    },
  ]

  static let contradictions = [
    Case("the encrypted bit", Hostile.hostileArchive, [.dangerous, .broken]) {
      $0.editLocal = { $1.flags |= 1 }
      $0.editCentral = { $1.flags |= 1 }
    },
    Case("the encrypted bit in the central directory only", Hostile.hostileArchive, broken) {
      $0.editCentral = { $1.flags |= 1 }
    },
    Case("a checksum that is wrong", Hostile.hostileArchive, broken) {
      $0.records[0].crc32 ^= 1
    },
    Case("another name in the local header", Hostile.hostileArchive, broken) {
      $0.editLocal = { if $0 == 0 { $1.name = Array("archive/data.txt".utf8) } }
    },
    Case("another method in the local header", Hostile.hostileArchive, broken) {
      $0.editLocal = { if $0 == 0 { $1.method = 8 } }
    },
    Case("a method that nobody knows", Hostile.hostileArchive, broken) {
      $0.records[0].method = 99
    },
    Case("sizes that differ", Hostile.hostileArchive, broken) {
      $0.records[0].byteCount += 1
    },
    Case("a size of 64 bits", Hostile.hostileArchive, unusual) {
      $0.editCentral = {
        if $0 == 0 {
          ($1.compressedSize, $1.extra) = (.max, [1, 0, 8, 0] + [UInt8](repeating: 255, count: 8))
        }
      }
    },
    Case("two entries of one name", Hostile.archive, [.dangerous, .broken, .known]) {
      $0.records.insert(Record("archive/data.pkl", pickle), at: 1)
    },
    Case("two names that differ in case", Hostile.archive, [.dangerous, .broken, .known]) {
      $0.records.insert(Record("archive/DATA.PKL", pickle), at: 1)
    },
    Case("a name that is not UTF-8", Hostile.hostileArchive, broken) {
      $0.records[0].name[0] = 0xff
    },
    Case("fewer entries announced than there are", Hostile.hostileArchive, unusual) {
      $0.hasZip64EndRecord = false
      $0.editEnd = { ($0.count, $0.diskCount) = (1, 1) }
    },
    Case("more entries announced than there are", Hostile.hostileArchive, broken) {
      $0.hasZip64EndRecord = false
      $0.editEnd = { ($0.count, $0.diskCount) = (999, 999) }
    },
    Case("one part of several", Hostile.hostileArchive, broken) { $0.editEnd = { $0.disk = 1 } },
    Case("a locator to nowhere", Hostile.hostileArchive, unusual) {
      $0.editLocator = { $0.endRecordOffset = .max }
    },
    Case("a comment beyond the end", Hostile.hostileArchive, broken) {
      $0.editEnd = { $0.commentLength = 400 }
    },
    Case("no table of contents", Array(Hostile.hostileArchive.bytes().dropLast(400)), broken),
    Case("a compressed pickle of more than a megabyte", Hostile.archive, [.known, .dangerous]) {
      let value = PickledValue.list([.bytes([UInt8](repeating: 0, count: 1_100_000)), Hostile.call])
      let bytes = value.pickle(protocol: 3)
      $0.records.append(Record("archive/large.pkl", bytes, deflated: Deflate.stored(bytes)))
    },
    Case("a bomb", Hostile.archive, [.broken, .known]) {
      var record = Record("archive/data.pkl", [], deflated: Deflate.zeros(runs: 1 << 16))
      record.byteCount = 100
      $0.records.append(record)
      $0.records[$0.records.count - 1].name = Array("archive/b.bin".utf8)
    },
    Case("an entry that no table lists", stray, [.dangerous, .suspicious, .known]),
    Case("two tables of contents", twoTables, [.dangerous, .broken, .suspicious, .known]),
  ]

  private static let broken: Set<ScanFinding.Severity> = [.dangerous, .broken]
  private static let unusual: Set<ScanFinding.Severity> = [.dangerous, .broken, .suspicious]

  /// An archive with a local entry between the last entry and the table of contents.
  private static var stray: [UInt8] {
    var hidden = ZipBuilder([Record("archive/evil.pkl", pickle)])
    hidden.hasDataDescriptors = false
    let bytes = hidden.bytes()
    let end = bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4b, 1, 2]) } ?? 0
    var builder = Hostile.archive
    builder.gap = Array(bytes[..<end])
    return builder.bytes()
  }

  /// One archive in front of another, with a table of contents at the place that the second one
  /// announces: who takes that place literally reads the first archive.
  private static var twoTables: [UInt8] {
    func build(_ pickle: [UInt8], padding: Int) -> ZipBuilder {
      var builder = ZipBuilder([Record("archive/data.pkl", pickle)])
      builder.hasZip64EndRecord = false
      builder.alignment = nil
      builder.gap = [UInt8](repeating: 0, count: padding)
      return builder
    }
    let count = max(Hostile.pickle.count, Hostile.harmless.count)
    let first = build(Hostile.pickle, padding: count - Hostile.pickle.count).bytes()
    var second = build(Hostile.harmless, padding: count - Hostile.harmless.count)
    second.leading = first
    return second.bytes()
  }

  @Test("Pickles are found wherever an archive has them", arguments: hidden)
  func hiding(_ test: Case) throws { try expect(test) }

  @Test(
    "Archives that contradict themselves are read on, and said to be broken",
    arguments: contradictions)
  func contradicting(_ test: Case) throws { try expect(test) }

  private func expect(_ test: Case) throws {
    let scan = try FileScan(of: TemporaryFile.holding(test.bytes))
    #expect(Set(scan.findings.map(\.severity)) == test.severities, "\(scan.findings)")
    if test.severities.contains(.dangerous) {
      #expect(scan.findings.contains { $0.global?.qualifiedName == "os.system" })
    }
  }

  @Test("An archive with two tables of contents is not converted either")
  func refused() throws {
    #expect(throws: CheckpointError.self) {
      try CheckpointFile.read(TemporaryFile.holding(Self.twoTables))
    }
  }

  @Test("Entries that share their data are read a bounded number of times")
  func overlapping() throws {
    let value = PickledValue.bytes([UInt8](repeating: 1, count: 900_000)).pickle(protocol: 3)
    var builder = ZipBuilder([Record("archive/data.pkl", value)])
    for index in 0..<2000 { builder.records.append(Record("archive/\(index).pkl", [])) }
    let size = UInt32(value.count)
    builder.editCentral = { index, header in
      (header.localHeaderOffset, header.compressedSize, header.uncompressedSize) = (0, size, size)
      _ = index
    }
    let scan = try FileScan(of: TemporaryFile.holding(builder.bytes()))
    #expect(scan.findings.contains { $0.message.contains("overlap or decompress") })
    #expect(scan.count(.unread) > 0)
  }
}
