internal import Bytes
internal import Graph
internal import Plan

/// One entry of an archive under construction: its records, as torch writes them.
///
/// torch differs from other writers where it may: no version, time or date, sizes and checksum of
/// the local header zero even in ZIP64 entries, and a filler in the extra field that aligns the data.
/// Of two sizes in a local ZIP64 field it knows the uncompressed one only, and leaves the other zero
/// (`mz_zip_writer_add_mem_ex_v2` of `miniz.c`).
struct PlannedEntry: Sendable {
  let name: [UInt8]
  let encoding: FileRegion.Encoding
  let byteCount: Int
  let storedByteCount: Int
  /// Where the local header is, in bytes from the start of the archive.
  let offset: Int
  var checksum: ZipEncoder.Checksum = { _ in 0 }

  init(
    name: String, encoding: FileRegion.Encoding, byteCount: Int, storedByteCount: Int, offset: Int
  ) {
    self.name = Array(name.utf8)
    self.encoding = encoding
    self.byteCount = byteCount
    self.storedByteCount = storedByteCount
    self.offset = offset
  }

  private static let descriptorSignature: UInt32 = 0x0807_4b50

  private var isLarge: Bool { byteCount >= UInt32.max || storedByteCount >= UInt32.max }
  private var isFar: Bool { offset >= UInt32.max }

  private var flags: GeneralPurposeFlags {
    byteCount > 0 ? [.utf8Name, .dataDescriptor] : .utf8Name
  }

  private var method: CompressionMethod {
    CompressionMethod(rawValue: encoding == .deflated ? 8 : 0)
  }

  /// Deflate needs version 2.0 of the format; torch asks for nothing else.
  private var versionNeeded: UInt16 { encoding == .deflated ? 20 : 0 }

  // MARK: Local header

  /// The local header with its name and extra field.
  ///
  /// - Throws: `limitExceeded` when either is too long for the format.
  func localHeader(alignment: Int) throws(FormatError) -> [UInt8] {
    let wide = zip64Field(uncompressed: byteCount, compressed: 0)
    let start =
      offset + LocalFileHeader.byteCount + name.count + ExtraField.leadingByteCount + wide.count
    let padding = (alignment - start % alignment) % alignment
    let extraLength = wide.count + ExtraField.leadingByteCount + padding
    guard let nameLength = UInt16(exactly: name.count),
      let extraLength = UInt16(exactly: extraLength)
    else {
      throw FormatError(
        .limitExceeded,
        "a record's name of \(name.count) bytes, or its filler of \(padding), does not fit an archive"
      )
    }
    var writer = ByteWriter(capacity: start + padding - offset)
    LocalFileHeader(
      versionNeeded: versionNeeded, flags: flags, method: method, modificationTime: 0,
      modificationDate: 0, crc32: 0, compressedSize: 0, uncompressedSize: 0,
      nameLength: nameLength, extraLength: extraLength
    ).write(to: &writer)
    writer.write(name)
    writer.write(wide)
    writer.write(integer: ExtraField.torchPaddingID)
    writer.write(integer: UInt16(padding))
    writer.write(UInt8(ascii: "Z"), count: padding)
    return writer.bytes
  }

  /// What does not fit 32 bits; torch tells the offset in local headers as well.
  private func zip64Field(uncompressed: Int, compressed: Int) -> [UInt8] {
    guard isLarge || isFar else { return [] }
    var writer = ByteWriter()
    writer.write(integer: Zip64ExtendedInformation.headerID)
    writer.write(integer: UInt16((isLarge ? 16 : 0) + (isFar ? 8 : 0)))
    if isLarge {
      writer.write(integer: UInt64(uncompressed))
      writer.write(integer: UInt64(compressed))
    }
    if isFar { writer.write(integer: UInt64(offset)) }
    return writer.bytes
  }

  // MARK: Behind the data

  /// The size of the data descriptor: its sizes are wide in every ZIP64 entry.
  var descriptorByteCount: Int { isLarge || isFar ? 24 : 16 }

  /// The record behind the data (APPNOTE 4.3.9).
  func dataDescriptor(_ checksums: RecordChecksums) -> [UInt8] {
    var writer = ByteWriter(capacity: descriptorByteCount)
    writer.write(integer: Self.descriptorSignature)
    writer.write(integer: checksum(checksums))
    if isLarge || isFar {
      writer.write(integer: UInt64(storedByteCount))
      writer.write(integer: UInt64(byteCount))
    } else {
      writer.write(integer: UInt32(storedByteCount))
      writer.write(integer: UInt32(byteCount))
    }
    return writer.bytes
  }

  // MARK: Central header

  /// The size of the central header with its name and extra field.
  var centralHeaderByteCount: Int {
    CentralDirectoryHeader.byteCount + name.count
      + zip64Field(uncompressed: byteCount, compressed: storedByteCount).count
  }

  /// Writes the entry's line in the table of contents.
  func writeCentralHeader(to writer: inout ByteWriter, _ checksums: RecordChecksums) {
    let wide = zip64Field(uncompressed: byteCount, compressed: storedByteCount)
    CentralDirectoryHeader(
      versionMadeBy: 0, versionNeeded: versionNeeded, flags: flags, method: method,
      modificationTime: 0, modificationDate: 0, crc32: checksum(checksums),
      compressedSize: UInt32(clamping: storedByteCount),
      uncompressedSize: UInt32(clamping: byteCount), nameLength: UInt16(name.count),
      extraLength: UInt16(wide.count), commentLength: 0, startDisk: 0, internalAttributes: 0,
      externalAttributes: 0, localHeaderOffset: UInt32(clamping: offset)
    ).write(to: &writer)
    writer.write(name)
    writer.write(wide)
  }
}
