internal import Bytes

/// What stands before an entry's data (APPNOTE 4.3.7).
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
/// and fills the extra field up so that the data is aligned.
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
  init(reading reader: inout ByteReader) throws(FormatError) {
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
