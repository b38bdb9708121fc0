import CkptBase
import CkptTestSupport
import Testing
import CkptZip

@Suite("ZIP refusals")
struct ZipRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let code: CheckpointError.Code
    /// Text that the error message must contain.
    let words: String
    let change: @Sendable (inout ZipBuilder) -> Void
    var testDescription: String { name }

    init(
      _ name: String, _ code: CheckpointError.Code, _ words: String,
      _ change: @escaping @Sendable (inout ZipBuilder) -> Void
    ) {
      self.name = name
      self.code = code
      self.words = words
      self.change = change
    }

    init(
      _ name: String, _ words: String, _ change: @escaping @Sendable (inout ZipBuilder) -> Void
    ) {
      self.init(name, .malformed, words, change)
    }
  }

  /// Three entries of which tests break the second.
  static let builder = ZipBuilder([
    .init("a/first", [1, 2, 3, 4]), .init("a/second", [5, 6]), .init("a/third", []),
  ])

  static let endRecords = [
    Case("no end record", .truncated, "no end of central directory record") {
      $0.editEnd = { $0.signature = 0 }
    },
    Case("more bytes after the archive than torch looks through", .truncated, "no end of") {
      $0.trailing = [UInt8](repeating: 0, count: 70_000)
    },
    Case("a comment longer than the file", .truncated, "comment of 4 bytes runs past the end") {
      $0.comment = [1, 2, 3]
      $0.editEnd = { $0.commentLength = 4 }
    },
    Case("one disk of several", .unsupported, "one part of a multi-part") {
      $0.editEnd = { $0.disk = 1 }
    },
    Case("a central directory on another disk", .unsupported, "one part of a multi-part") {
      $0.editEnd = { $0.directoryDisk = 1 }
    },
    Case("fewer entries on the disk than in all", .unsupported, "one part of a multi-part") {
      $0.editEnd = { $0.diskCount = 2 }
    },
    Case("the largest disk number without ZIP64 records", .unsupported, "one part of a multi-part")
    {
      $0.hasZip64EndRecord = false
      $0.editEnd = { $0.disk = .max }
    },
    Case("a ZIP64 record on another disk", .unsupported, "one part of a multi-part") {
      $0.editZip64End = { $0.disk = 1 }
    },
    Case("a ZIP64 central directory on another disk", .unsupported, "one part of a multi-part") {
      $0.editZip64End = { $0.directoryDisk = 1 }
    },
    Case("fewer ZIP64 entries on the disk than in all", .unsupported, "one part of a multi-part") {
      $0.editZip64End = { $0.diskCount = 2 }
    },
    Case("a locator to another disk", .unsupported, "one part of a multi-part") {
      $0.editLocator = { $0.disk = 1 }
    },
    Case("a locator that counts two disks", .unsupported, "one part of a multi-part") {
      $0.editLocator = { $0.diskCount = 2 }
    },
    Case("a locator to nowhere", "no ZIP64 end of central directory record") {
      $0.editLocator = { $0.endRecordOffset = .max }
    },
    Case("a ZIP64 record without its signature", "no ZIP64 end of central directory record") {
      $0.editZip64End = { $0.signature = 0 }
    },
    Case("a ZIP64 record that ends before its locator", "no ZIP64 end of central") {
      $0.editZip64End = { $0.dataSector = [0] }
    },
    Case("a size only the missing ZIP64 record tells", "ZIP64 end record, which is missing") {
      $0.hasZip64EndRecord = false
      $0.editEnd = { $0.size = .max }
    },
    Case("an offset only the missing ZIP64 record tells", "ZIP64 end record, which is missing") {
      $0.hasZip64EndRecord = false
      $0.editEnd = { $0.offset = .max }
    },
    Case("end records that count differently", "entry count is 2 in one end record and 3") {
      $0.editEnd = { ($0.count, $0.diskCount) = (2, 2) }
    },
    Case("end records that size the directory differently", "central directory size is 1 in") {
      $0.editEnd = { $0.size = 1 }
    },
    Case("end records that place the directory differently", "central directory offset is 1 in") {
      $0.editEnd = { $0.offset = 1 }
    },
    Case("a central directory that overlaps its end record", "does not end at the end record") {
      $0.hasZip64EndRecord = false
      $0.editEnd = { $0.offset += 1 }
    },
    Case("a central directory that ends before its ZIP64 record", "does not end at the end") {
      $0.editEnd = { $0.offset = .max }
      $0.editZip64End = { $0.offset -= 1 }
    },
    Case("a central directory whose end overflows", "overflows 64 bits") {
      $0.editEnd = { $0.offset = .max }
      $0.editZip64End = { $0.offset = UInt64(Int.max) }
    },
    Case("a central directory offset beyond 63 bits", "does not fit 63 bits") {
      $0.editEnd = { $0.offset = .max }
      $0.editZip64End = { $0.offset = .max }
    },
    Case("more entries than the limit", .limitExceeded, "entries are more than the limit") {
      $0.editEnd = { ($0.count, $0.diskCount) = (.max, .max) }
      $0.editZip64End = { ($0.count, $0.diskCount) = (1 << 40, 1 << 40) }
    },
    Case("more entries than the central directory has room for", "do not fit a central") {
      $0.editEnd = { ($0.count, $0.diskCount) = (.max, .max) }
      $0.editZip64End = { ($0.count, $0.diskCount) = (100, 100) }
    },
  ]

  static let centralDirectory = [
    Case("a wrong signature", "central directory header should start with 504b0102") {
      $0.editCentral = second { $0.signature = 0x0201_4b51 }
    },
    Case("more headers than entries", "are left after its 3 entries") {
      $0.editCentral = second { $0.repetitions = 2 }
    },
    Case("fewer headers than entries", .truncated, "bytes are needed") {
      $0.editCentral = {
        if $0 == 1 { $1.repetitions = 0 }
        if $0 == 2 { $1.comment = [UInt8](repeating: 0, count: 100) }
      }
    },
    Case("a name that is not UTF-8", "not UTF-8") { $0.records[1].name = [0x61, 0xff] },
    Case("a name with NUL", "contains NUL") { $0.records[1].name = [0x61, 0, 0x62] },
    Case("an empty name", "is empty") { $0.records[1].name = [] },
    Case("two entries of one name", "two entries are named 'a/first'") {
      $0.records[1].name = $0.records[0].name
    },
    Case("names that differ in case only", "'a/first' and 'A/FIRST' differ only in case") {
      $0.records[1].name = Array("A/FIRST".utf8)
    },
    Case("encryption", .unsupported, "'a/second' is encrypted") {
      $0.editCentral = second { $0.flags |= 1 }
    },
    Case("strong encryption", .unsupported, "'a/second' is strongly encrypted") {
      $0.editCentral = second { $0.flags |= 1 | 1 << 6 }
    },
    Case("masked local headers", .unsupported, "'a/second' is strongly encrypted") {
      $0.editCentral = second { $0.flags |= 1 << 13 }
    },
    Case("a patch", .unsupported, "'a/second' is a patch for another file") {
      $0.editCentral = second { $0.flags |= 1 << 5 }
    },
    Case("LZMA", .unsupported, "'a/second' is compressed with method 14 (LZMA)") {
      $0.records[1].method = 14
    },
    Case("a method without a name", .unsupported, "compressed with method 77") {
      $0.records[1].method = 77
    },
    Case("another disk", .unsupported, "'a/second' is on disk 1") {
      $0.editCentral = second { $0.startDisk = 1 }
    },
    Case("another disk in the ZIP64 field", .unsupported, "'a/second' is on disk 65536") {
      $0.editCentral = second {
        $0.startDisk = .max
        $0.extra = [1, 0, 4, 0, 0, 0, 1, 0]
      }
    },
    Case("a ZIP64 field that is missing", "ZIP64 extra field, which is missing") {
      $0.editCentral = second { $0.localHeaderOffset = .max }
    },
    Case("a ZIP64 field that is too short", .truncated, "8 bytes are needed, but only 7 are left") {
      $0.editCentral = second {
        $0.localHeaderOffset = .max
        $0.extra = [1, 0, 7, 0] + [UInt8](repeating: 0, count: 7)
      }
    },
    Case("two ZIP64 fields", "is repeated") {
      $0.editCentral = second { $0.extra = [1, 0, 0, 0, 1, 0, 0, 0] }
    },
    Case("an extra field that runs past its end", "would have 9 bytes, but only 1 are left") {
      $0.editCentral = second { $0.extra = [2, 0, 9, 0, 0] }
    },
    Case("a size beyond 63 bits", "size of 'a/second' of 18446744073709551615 does not fit") {
      $0.editCentral = second {
        ($0.compressedSize, $0.uncompressedSize) = (.max, .max)
        $0.extra = [1, 0, 16, 0] + [UInt8](repeating: 0xff, count: 16)
      }
    },
    Case("an offset whose sum overflows", "overflows 64 bits") {
      $0.leading = [0]
      $0.editCentral = second {
        $0.localHeaderOffset = .max
        $0.extra = [1, 0, 8, 0] + [UInt8](repeating: 0xff, count: 7) + [0x7f]
      }
    },
    Case("a stored entry with two sizes", "stored with 2 bytes, but should have 3") {
      $0.records[1].byteCount = 3
    },
    Case("a directory with data", "the directory 'a/second/' has 2 bytes") {
      $0.records[1].name = Array("a/second/".utf8)
    },
    Case("a ratio that deflate cannot reach", "2 bytes cannot inflate to the 10000 bytes") {
      $0.records[1].method = 8
      $0.records[1].byteCount = 10_000
    },
    Case("an entry behind the central directory", "is not before the central directory") {
      $0.editCentral = second { $0.localHeaderOffset = 100_000 }
    },
    Case("an entry larger than the file", "is not before the central directory") {
      $0.editCentral = second { ($0.compressedSize, $0.uncompressedSize) = (100_000, 100_000) }
    },
  ]

  static let localHeaders = [
    Case("a wrong signature", "local file header should start with 504b0304") {
      $0.editLocal = second { $0.signature = 0x0807_4b50 }
    },
    Case("another name", "the name in the local header of 'a/second'") {
      $0.editLocal = second { $0.name = Array("a/sEcond".utf8) }
    },
    Case("a shorter name", "the name in the local header of 'a/second'") {
      $0.editLocal = second { $0.name.removeLast() }
    },
    Case("another method", "the method in the local header of 'a/second'") {
      $0.editLocal = second { $0.method = 8 }
    },
    Case("encryption", "the encryption flag in the local header of 'a/second'") {
      $0.editLocal = second { $0.flags |= 1 }
    },
    Case("another checksum", "the checksum in the local header of 'a/second'") {
      $0.hasDataDescriptors = false
      $0.editLocal = second { $0.crc32 ^= 1 }
    },
    Case("another compressed size", "the size in the local header of 'a/second'") {
      $0.hasDataDescriptors = false
      $0.editLocal = second { $0.compressedSize = 1 }
    },
    Case("another uncompressed size", "the size in the local header of 'a/second'") {
      $0.hasDataDescriptors = false
      $0.editLocal = second { $0.uncompressedSize = 1 }
    },
    Case("sizes that a missing data descriptor would tell", "the size in the local header") {
      $0.editLocal = second { $0.flags = 0x0800 }
    },
    Case("a ZIP64 field that is missing", "ZIP64 extra field, which is missing") {
      $0.editLocal = second { $0.compressedSize = .max }
    },
    Case("an extra field that runs past its end", "would have 9 bytes, but only 1 are left") {
      $0.editLocal = second { $0.extra = [2, 0, 9, 0, 0] }
    },
  ]

  /// The builder's local headers lie at bytes 0, 84 and 146, its central directory at 192.
  static let overlaps = [
    Case("two entries with one local header", "overlaps") {
      $0.editCentral = second { $0.localHeaderOffset = 0 }
    },
    Case("a local header in the next one's fixed fields", "'a/second' overlaps 'a/third'") {
      $0.editCentral = { if $0 == 2 { $1.localHeaderOffset = 84 + 29 } }
    },
    Case("a local header in the next one's extra field", "'a/second' overlaps 'a/third'") {
      $0.editCentral = { if $0 == 2 { $1.localHeaderOffset = 84 + 43 } }
    },
    Case("data that runs into the next local header", "'a/first' overlaps 'a/second'") {
      $0.editCentral = {
        if $0 == 0 { ($1.compressedSize, $1.uncompressedSize) = (21, 21) }
      }
    },
    Case("data that runs into the central directory", "'a/third' overlaps the central directory") {
      $0.records[2] = .init("a/third", [7])
      $0.editCentral = {
        if $0 == 2 { ($1.compressedSize, $1.uncompressedSize) = (18, 18) }
      }
    },
    Case("a local header in the central directory", "'a/third' overlaps the central directory") {
      $0.editCentral = { if $0 == 2 { $1.localHeaderOffset = 192 - 29 } }
    },
  ]

  @Test("End records that lie are refused", arguments: endRecords)
  func endRecord(_ test: Case) throws { try expectRefusal(test) }

  @Test("Central headers that lie are refused", arguments: centralDirectory)
  func centralHeader(_ test: Case) throws { try expectRefusal(test) }

  @Test("Local headers that contradict the central directory are refused", arguments: localHeaders)
  func localHeader(_ test: Case) throws { try expectRefusal(test) }

  @Test("Entries that share bytes are refused", arguments: overlaps)
  func overlap(_ test: Case) throws { try expectRefusal(test) }

  @Test("The archive these cases break is fine without them")
  func unbroken() throws {
    let file = try TemporaryFile.holding(Self.builder.bytes())
    let directory = try ZipDirectory(reading: file)
    #expect(directory.entries.map(\.localHeaderOffset) == [0, 84, 146])
    #expect(directory.entries.map(\.dataRange) == [64..<68, 128..<130, 192..<192])
  }

  struct Place: Sendable, CustomTestStringConvertible {
    let name: String
    let offset: Int
    let change: @Sendable (inout ZipBuilder) -> Void
    var testDescription: String { name }
  }

  /// The central headers start at byte 192 and take 53, 54 and 53 bytes; 76 of ZIP64 follow.
  static let places = [
    Place(name: "the end record", offset: 192 + 160 + 76) { $0.editEnd = { $0.size = 1 } },
    Place(name: "the ZIP64 locator", offset: 192 + 160 + 56) {
      $0.editLocator = { $0.endRecordOffset = .max }
    },
    Place(name: "a central header", offset: 192 + 53) {
      $0.editCentral = second { $0.signature = 0 }
    },
    Place(name: "bytes behind the central headers", offset: 192 + 160) {
      $0.editCentral = { if $0 == 2 { $1.repetitions = 2 } }
    },
    Place(name: "the second extra field of a central header", offset: 192 + 53 + 54 + 4) {
      $0.editCentral = second { $0.extra = [2, 0, 0, 0, 3, 0, 9, 0] }
    },
    Place(name: "a ZIP64 field that is too short", offset: 192 + 53 + 54 + 4) {
      $0.editCentral = second {
        $0.localHeaderOffset = .max
        $0.extra = [1, 0, 1, 0, 0]
      }
    },
    Place(name: "the place of a missing ZIP64 field", offset: 192 + 53 + 54) {
      $0.editCentral = second { $0.localHeaderOffset = .max }
    },
    Place(name: "a local header", offset: 84) { $0.editLocal = second { $0.signature = 0 } },
    Place(name: "the extra field of a local header", offset: 84 + 38) {
      $0.editLocal = second { $0.extra = [2, 0, 9, 0] }
    },
  ]

  @Test("Errors tell the byte of the file", arguments: places)
  func offset(_ test: Place) throws {
    var builder = Self.builder
    test.change(&builder)
    for leading in [0, 5] {
      builder.leading = [UInt8](repeating: 0, count: leading)
      let file = try TemporaryFile.holding(builder.bytes())
      let error = #expect(throws: CheckpointError.self) { try ZipDirectory(reading: file) }
      #expect(error?.offset == leading + test.offset, "\(error?.message ?? "")")
    }
  }

  private func expectRefusal(_ test: Case) throws {
    var builder = Self.builder
    test.change(&builder)
    let file = try TemporaryFile.holding(builder.bytes())
    let error = #expect(throws: CheckpointError.self) { try ZipDirectory(reading: file) }
    #expect(error?.code == test.code)
    #expect(error?.message.contains(test.words) == true, "\(error?.message ?? "")")
  }
}

/// An edit of the second record's header.
private func second<Header>(
  _ edit: @escaping @Sendable (inout Header) -> Void
) -> @Sendable (Int, inout Header) -> Void {
  { if $0 == 1 { edit(&$1) } }
}
