internal import CkptBase

/// An entry of an archive's central directory (APPNOTE 4.3.12).
///
/// | offset | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 4 | signature `50 4b 01 02` |
/// | 4 | 2 | version made by |
/// | 6 | 2 | version needed to extract |
/// | 8 | 2 | general purpose flags |
/// | 10 | 2 | compression method |
/// | 12 | 2 + 2 | time and date of the last change |
/// | 16 | 4 | CRC-32 of the uncompressed data |
/// | 20 | 4 | compressed size |
/// | 24 | 4 | uncompressed size |
/// | 28 | 2 | name length |
/// | 30 | 2 | extra field length |
/// | 32 | 2 | comment length |
/// | 34 | 2 | disk where the data starts |
/// | 36 | 2 | internal attributes |
/// | 38 | 4 | external attributes |
/// | 42 | 4 | offset of the local header from the start of the archive |
///
/// Name, extra field and comment follow. A size, offset or disk at its maximum is in the
/// ``Zip64ExtendedInformation`` of the extra field instead.
struct CentralDirectoryHeader {
  static let signature = RecordSignature(0x0201_4b50, "central directory header")
  static let byteCount = 46
  /// The maximum length of a header with its name, extra field and comment.
  static let maximumByteCount = byteCount + 3 * Int(UInt16.max)

  let versionMadeBy: UInt16
  let versionNeeded: UInt16
  let flags: GeneralPurposeFlags
  let method: CompressionMethod
  let modificationTime: UInt16
  let modificationDate: UInt16
  let crc32: UInt32
  let compressedSize: UInt32
  let uncompressedSize: UInt32
  let nameLength: UInt16
  let extraLength: UInt16
  let commentLength: UInt16
  let startDisk: UInt16
  let internalAttributes: UInt16
  let externalAttributes: UInt32
  let localHeaderOffset: UInt32

  /// Writes the header, without name and extra field.
  func write(to writer: inout ByteWriter) {
    writer.write(integer: Self.signature.value)
    writer.write(integer: versionMadeBy)
    writer.write(integer: versionNeeded)
    writer.write(integer: flags.rawValue)
    writer.write(integer: method.rawValue)
    writer.write(integer: modificationTime)
    writer.write(integer: modificationDate)
    writer.write(integer: crc32)
    writer.write(integer: compressedSize)
    writer.write(integer: uncompressedSize)
    writer.write(integer: nameLength)
    writer.write(integer: extraLength)
    writer.write(integer: commentLength)
    writer.write(integer: startDisk)
    writer.write(integer: internalAttributes)
    writer.write(integer: externalAttributes)
    writer.write(integer: localHeaderOffset)
  }
}

extension CentralDirectoryHeader {
  /// Reads the header up to its name.
  init(reading reader: inout ByteReader) throws(CheckpointError) {
    try reader.readSignature(Self.signature)
    versionMadeBy = try reader.readInteger(as: UInt16.self)
    versionNeeded = try reader.readInteger(as: UInt16.self)
    flags = GeneralPurposeFlags(rawValue: try reader.readInteger(as: UInt16.self))
    method = CompressionMethod(rawValue: try reader.readInteger(as: UInt16.self))
    modificationTime = try reader.readInteger(as: UInt16.self)
    modificationDate = try reader.readInteger(as: UInt16.self)
    crc32 = try reader.readInteger(as: UInt32.self)
    compressedSize = try reader.readInteger(as: UInt32.self)
    uncompressedSize = try reader.readInteger(as: UInt32.self)
    nameLength = try reader.readInteger(as: UInt16.self)
    extraLength = try reader.readInteger(as: UInt16.self)
    commentLength = try reader.readInteger(as: UInt16.self)
    startDisk = try reader.readInteger(as: UInt16.self)
    internalAttributes = try reader.readInteger(as: UInt16.self)
    externalAttributes = try reader.readInteger(as: UInt32.self)
    localHeaderOffset = try reader.readInteger(as: UInt32.self)
  }
}

/// The header before the data of an entry (APPNOTE 4.3.7).
///
/// | offset | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 4 | signature `50 4b 03 04` |
/// | 4 | 2 | version needed to extract |
/// | 6 | 2 | general purpose flags |
/// | 8 | 2 | compression method |
/// | 10 | 2 + 2 | time and date of the last change |
/// | 14 | 4 | CRC-32 of the uncompressed data |
/// | 18 | 4 | compressed size |
/// | 22 | 4 | uncompressed size |
/// | 26 | 2 | name length |
/// | 28 | 2 | extra field length |
///
/// Name and extra field follow, then the data. torch leaves checksum and sizes zero (flag bit 3)
/// and extends the extra field to align the data.
struct LocalFileHeader {
  static let signature = RecordSignature(0x0403_4b50, "local file header")
  static let byteCount = 30

  let versionNeeded: UInt16
  let flags: GeneralPurposeFlags
  let method: CompressionMethod
  let modificationTime: UInt16
  let modificationDate: UInt16
  let crc32: UInt32
  let compressedSize: UInt32
  let uncompressedSize: UInt32
  let nameLength: UInt16
  let extraLength: UInt16

  /// The length of the header with its name and extra field.
  var totalByteCount: Int { Self.byteCount + Int(nameLength) + Int(extraLength) }

  /// Writes the header, without name and extra field.
  func write(to writer: inout ByteWriter) {
    writer.write(integer: Self.signature.value)
    writer.write(integer: versionNeeded)
    writer.write(integer: flags.rawValue)
    writer.write(integer: method.rawValue)
    writer.write(integer: modificationTime)
    writer.write(integer: modificationDate)
    writer.write(integer: crc32)
    writer.write(integer: compressedSize)
    writer.write(integer: uncompressedSize)
    writer.write(integer: nameLength)
    writer.write(integer: extraLength)
  }
}

extension LocalFileHeader {
  /// Reads the header up to its name.
  init(reading reader: inout ByteReader) throws(CheckpointError) {
    try reader.readSignature(Self.signature)
    versionNeeded = try reader.readInteger(as: UInt16.self)
    flags = GeneralPurposeFlags(rawValue: try reader.readInteger(as: UInt16.self))
    method = CompressionMethod(rawValue: try reader.readInteger(as: UInt16.self))
    modificationTime = try reader.readInteger(as: UInt16.self)
    modificationDate = try reader.readInteger(as: UInt16.self)
    crc32 = try reader.readInteger(as: UInt32.self)
    compressedSize = try reader.readInteger(as: UInt32.self)
    uncompressedSize = try reader.readInteger(as: UInt32.self)
    nameLength = try reader.readInteger(as: UInt16.self)
    extraLength = try reader.readInteger(as: UInt16.self)
  }
}

/// The four bytes at the start of a record, with the record's name in APPNOTE.
struct RecordSignature {
  /// The number whose little-endian bytes the record starts with.
  let value: UInt32
  let recordName: String

  init(_ value: UInt32, _ recordName: String) {
    self.value = value
    self.recordName = recordName
  }

  /// The four bytes in file order.
  var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

extension ByteReader {
  /// Reads and checks the signature of a record.
  ///
  /// - Throws: `malformed` for other bytes, `truncated` for fewer bytes.
  @_lifetime(self: copy self)
  mutating func readSignature(_ signature: RecordSignature) throws(CheckpointError) {
    let start = offset
    let found = try readInteger(as: UInt32.self)
    guard found == signature.value else {
      throw CheckpointError(
        .malformed,
        "a \(signature.recordName) should start with \(hex(signature.value)), found \(hex(found))",
        at: start)
    }
  }
}

/// Returns the bytes of a little-endian number in file order.
private func hex(_ value: UInt32) -> String {
  let digits = String(value.byteSwapped, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
