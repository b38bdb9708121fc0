import CkptBase
import CkptGraph
import CkptTestSupport
import Testing
import CkptZip

@Suite("ZIP directory")
struct ZipDirectoryTests {
  static let storages = [[UInt8](0..<12), [], [UInt8](repeating: 7, count: 300)]
  static let builder = ZipBuilder.torch(pickle: Array("\u{2}pickle.".utf8), storages: storages)

  private func open(_ builder: ZipBuilder) throws -> ZipDirectory {
    try ZipDirectory(reading: TemporaryFile.holding(builder.bytes()))
  }

  /// Every entry's data must be that of the builder's record.
  private func expectData(of builder: ZipBuilder, in directory: ZipDirectory) throws {
    #expect(directory.entries.map { Array($0.name.utf8) } == builder.records.map(\.name))
    for (entry, record) in zip(directory.entries, builder.records) {
      #expect(entry.byteCount == record.byteCount)
      #expect(entry.crc32 == record.crc32)
      #expect(try directory.source.bytes(in: entry.dataRange) == record.stored)
    }
  }

  @Test("A torch.save archive lists its records, aligned and with checksums")
  func torchArchive() throws {
    let directory = try open(Self.builder)
    try expectData(of: Self.builder, in: directory)
    let layout = directory.layout
    #expect(layout.archiveOffset == 0)
    #expect(layout.commentLength == 0)
    #expect(layout.trailingByteCount == 0)
    #expect(layout.hasZip64Record)
    #expect(layout.hasChecksums)
    #expect(layout.hasTorchPadding)
    #expect(layout.dataAlignment == 64)
    #expect(directory.entries[0].flags == [.dataDescriptor, .utf8Name])
  }

  struct Variant: Sendable, CustomTestStringConvertible {
    let name: String
    let change: @Sendable (inout ZipBuilder) -> Void
    let check: @Sendable (ZipLayout) -> Bool
    var testDescription: String { name }
  }

  static let variants = [
    Variant(name: "an archive comment") {
      $0.comment = Array("hello".utf8)
    } check: {
      $0.commentLength == 5 && $0.trailingByteCount == 0
    },
    Variant(name: "a comment of the largest size") {
      $0.comment = [UInt8](repeating: 1, count: 0xffff)
    } check: {
      $0.commentLength == 0xffff
    },
    Variant(name: "bytes after the archive") {
      $0.trailing = [UInt8](repeating: 0, count: 10)
    } check: {
      $0.trailingByteCount == 10
    },
    Variant(name: "a stream that held bytes before") {
      $0.leading = [UInt8](repeating: 0x41, count: 17)
    } check: {
      $0.archiveOffset == 17 && $0.dataAlignment == 64
    },
    Variant(name: "a stream that held bytes before, without ZIP64 records") {
      $0.leading = [UInt8](repeating: 0x41, count: 1000)
      $0.hasZip64EndRecord = false
    } check: {
      $0.archiveOffset == 1000 && !$0.hasZip64Record
    },
    Variant(name: "bytes in front that the offsets count") {
      $0.leading = [UInt8](repeating: 0x41, count: 64)
      $0.hasAbsoluteOffsets = true
    } check: {
      $0.archiveOffset == 0
    },
    Variant(name: "no ZIP64 records") {
      $0.hasZip64EndRecord = false
    } check: {
      !$0.hasZip64Record
    },
    Variant(name: "ZIP64 fields where 32 bits would do") {
      for index in $0.records.indices { $0.records[index].forcesZip64 = true }
    } check: {
      $0.dataAlignment == 64
    },
    Variant(name: "ZIP64 sizes in local headers") {
      $0.hasDataDescriptors = false
      for index in $0.records.indices { $0.records[index].forcesZip64 = true }
    } check: {
      $0.hasTorchPadding
    },
    Variant(name: "a ZIP64 field with everything in it") {
      for index in $0.records.indices { $0.records[index].forcesZip64 = true }
      $0.editCentral = {
        $1.startDisk = .max
        $1.extra += [0, 0, 0, 0]
        $1.extra[2] += 4
      }
    } check: {
      $0.hasZip64Record
    },
    Variant(name: "an end record that refers to the ZIP64 one throughout") {
      $0.editEnd = {
        ($0.disk, $0.directoryDisk, $0.diskCount, $0.count) = (.max, .max, .max, .max)
        ($0.size, $0.offset) = (.max, .max)
      }
    } check: {
      $0.hasZip64Record
    },
    Variant(name: "an extensible data sector") {
      $0.editZip64End = {
        $0.dataSector = [1, 2, 3]
        $0.remainingSize += 3
      }
    } check: {
      $0.hasZip64Record
    },
    Variant(name: "a locator that counts no disks") {
      $0.editLocator = { $0.diskCount = 0 }
    } check: {
      $0.hasZip64Record
    },
    Variant(name: "sizes and checksums in local headers") {
      $0.hasDataDescriptors = false
    } check: {
      $0.hasChecksums
    },
    Variant(name: "local headers without torch's filler") {
      $0.alignment = nil
    } check: {
      !$0.hasTorchPadding && $0.dataAlignment == 1
    },
    Variant(name: "another alignment") {
      $0.alignment = 100
    } check: {
      $0.hasTorchPadding && $0.dataAlignment % 100 == 0
    },
    Variant(name: "an alignment beyond what is read ahead") {
      $0.alignment = 4096
    } check: {
      $0.hasTorchPadding && $0.dataAlignment % 4096 == 0
    },
    Variant(name: "zeros for checksums") {
      for index in $0.records.indices { $0.records[index].crc32 = 0 }
    } check: {
      !$0.hasChecksums
    },
    Variant(name: "one checksum among zeros") {
      for index in $0.records.indices.dropFirst() { $0.records[index].crc32 = 0 }
    } check: {
      $0.hasChecksums
    },
    Variant(name: "extra fields that zipalign pads with zeros") {
      $0.alignment = nil
      $0.editLocal = { $1.extra = [0, 0, 0] }
      $0.editCentral = { $1.extra = [0, 0, 0, 0, 0, 0] }
    } check: {
      !$0.hasTorchPadding
    },
    Variant(name: "times and owners as zip(1) writes them") {
      $0.alignment = nil
      let time: [UInt8] = [1, 2, 3, 4]
      $0.editLocal = {
        $1.extra = [0x55, 0x54, 9, 0, 3] + time + time
        $1.extra += [0x75, 0x78, 11, 0, 1, 4, 0xe8, 3, 0, 0, 4, 0xe8, 3, 0, 0]
      }
      $0.editCentral = {
        ($1.versionMadeBy, $1.versionNeeded) = (0x031e, 20)
        $1.externalAttributes = 0x81a4_0000
        $1.extra = [0x55, 0x54, 5, 0, 3] + time
        $1.extra += [0x75, 0x78, 11, 0, 1, 4, 0xe8, 3, 0, 0, 4, 0xe8, 3, 0, 0]
      }
    } check: {
      !$0.hasTorchPadding
    },
    Variant(name: "entry comments") {
      $0.editCentral = { $1.comment = Array("comment \($0)".utf8) }
    } check: {
      $0.hasTorchPadding
    },
    Variant(name: "bytes between the entries and the central directory") {
      $0.gap = [1, 2, 3]
    } check: {
      $0.archiveOffset == 0
    },
    Variant(name: "names without the UTF-8 flag") {
      $0.editLocal = { $1.flags &= ~0x0800 }
      $0.editCentral = { $1.flags &= ~0x0800 }
      $0.records[0].name = Array("archive/données".utf8)
    } check: {
      $0.hasChecksums
    },
  ]

  @Test("What torch accepts is accepted, and reported", arguments: variants)
  func variant(_ variant: Variant) throws {
    var builder = Self.builder
    variant.change(&builder)
    let directory = try open(builder)
    try expectData(of: builder, in: directory)
    #expect(variant.check(directory.layout), "\(directory.layout)")
  }

  @Test("The order of the central directory is kept whatever the order of the data")
  func order() throws {
    let builder = ZipBuilder([.init("b/2", [2]), .init("b/1", [1, 1]), .init("b/0", [])])
    var bytes = builder.bytes()
    let headers = try #require(
      bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4b, 1, 2]) })
    let size = 46 + 3
    let swapped = bytes[(headers + size)..<headers + 2 * size] + bytes[headers..<headers + size]
    bytes.replaceSubrange(headers..<headers + 2 * size, with: swapped)
    let directory = try ZipDirectory(reading: TemporaryFile.holding(bytes))
    #expect(directory.entries.map(\.name) == ["b/1", "b/2", "b/0"])
    #expect(try directory.readRecord(directory.entries[0], limit: 2) == [1, 1])
  }

  @Test("Directories are entries without data")
  func directories() throws {
    let directory = try open(ZipBuilder([.init("a/", []), .init("a/b", [1])]))
    #expect(directory.entries.map(\.isDirectory) == [true, false])
  }

  @Test("An archive without entries is one")
  func empty() throws {
    for hasZip64EndRecord in [true, false] {
      var builder = ZipBuilder([])
      builder.hasZip64EndRecord = hasZip64EndRecord
      let directory = try open(builder)
      #expect(directory.entries.isEmpty)
      #expect(directory.layout.dataAlignment == 0)
    }
  }

  @Test("Names are found as torch finds them, without regard to ASCII case")
  func lookup() throws {
    let directory = try open(ZipBuilder([.init("m/Data.pkl", [1]), .init("m/é", [2])]))
    #expect(directory.entry(named: "m/data.PKL")?.name == "m/Data.pkl")
    #expect(directory.entry(named: "m/é")?.name == "m/é")
    #expect(directory.entry(named: "m/É") == nil)
    #expect(directory.entry(named: "data.pkl") == nil)
  }

  @Test("Names that Unicode calls equivalent are different names, as they are to torch")
  func equivalentNames() throws {
    let directory = try open(ZipBuilder([.init("m/\u{e9}", [1]), .init("m/e\u{301}", [2])]))
    #expect(directory.entry(named: "m/\u{e9}")?.crc32 == referenceCRC32([1]))
    #expect(directory.entry(named: "m/e\u{301}")?.crc32 == referenceCRC32([2]))
  }

  @Test("Entries beyond 4 GiB are found through their ZIP64 fields")
  func beyondFourGibibytes() throws {
    var builder = ZipBuilder.torch(pickle: [1, 2], storages: [[3], [4, 5], []])
    let large = (4 << 30) + 100
    builder.records[4].holeByteCount = large - 1
    builder.records[4].byteCount = large
    let (runs, byteCount) = builder.runs()
    let directory = try ZipDirectory(reading: TemporaryFile.holding(runs, byteCount: byteCount))
    #expect(directory.entries.map(\.byteCount) == builder.records.map(\.byteCount))
    #expect(directory.layout.dataAlignment == 64)
    #expect(directory.entries[5].dataOffset > 4 << 30)
    #expect(try directory.readRecord(directory.entries[5], limit: 2) == [4, 5])
  }

  @Test("More entries than 16 bits count are listed")
  func manyEntries() throws {
    let builder = ZipBuilder((0..<66_000).map { .init("archive/data/\($0)", [UInt8($0 & 0xff)]) })
    let directory = try open(builder)
    #expect(directory.entries.count == 66_000)
    #expect(directory.entries.last?.name == "archive/data/65999")
    #expect(try directory.readRecord(directory.entries[65_537], limit: 1) == [1])
  }

  @Test("65,535 entries need no ZIP64 record")
  func mostEntriesWithoutZip64() throws {
    var builder = ZipBuilder((0..<65_535).map { .init("\($0)", []) })
    builder.hasZip64EndRecord = false
    #expect(try open(builder).entries.count == 65_535)
  }

  @Test("An entry becomes a region of the file")
  func region() throws {
    let data = [UInt8](repeating: 0, count: 1 + 258 * 4)
    var builder = ZipBuilder([
      .init("a/0", [1, 2, 3]), .init("a/1", data, deflated: Deflate.zeros(runs: 4)),
    ])
    let directory = try open(builder)
    let stored = directory.entries[0].region(in: directory)
    #expect(stored.name == "a/0")
    #expect(stored.range == directory.entries[0].dataRange)
    #expect(stored.encoding == .stored)
    #expect(stored.byteCount == 3)
    #expect(stored.crc32 == builder.records[0].crc32)
    let deflated = directory.entries[1].region(in: directory)
    #expect(deflated.encoding == .deflated)
    #expect(deflated.byteCount == data.count)
    #expect(deflated.range.count == Deflate.zeros(runs: 4).count)

    for index in builder.records.indices { builder.records[index].crc32 = 0 }
    let unchecked = try open(builder)
    #expect(unchecked.entries[0].region(in: unchecked).crc32 == nil)
  }
}
