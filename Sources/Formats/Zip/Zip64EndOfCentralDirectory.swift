internal import Bytes

/// What ``EndOfCentralDirectory`` says, in 64 bits (APPNOTE 4.3.14).
///
/// | offset | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 4 | signature `50 4b 06 06` |
/// | 4 | 8 | size of the rest of the record: 44, more with an extensible data sector |
/// | 12 | 2 | version made by |
/// | 14 | 2 | version needed to extract |
/// | 16 | 4 | number of this disk |
/// | 20 | 4 | disk where the central directory starts |
/// | 24 | 8 | entries on this disk |
/// | 32 | 8 | entries in all |
/// | 40 | 8 | size of the central directory |
/// | 48 | 8 | offset of the central directory from the start of the archive |
///
/// torch writes one into every archive, whatever its size.
struct Zip64EndOfCentralDirectory {
  static let signature = RecordSignature(0x0606_4b50, "ZIP64 end of central directory record")
  static let byteCount = 56
  /// The bytes before what ``remainingSize`` counts.
  static let leadingByteCount = 12

  let remainingSize: UInt64
  let versionMadeBy: UInt16
  let versionNeeded: UInt16
  let diskNumber: UInt32
  let centralDirectoryDisk: UInt32
  let diskEntryCount: UInt64
  let entryCount: UInt64
  let centralDirectorySize: UInt64
  let centralDirectoryOffset: UInt64

  /// Writes the record.
  func write(to writer: inout ByteWriter) {
    writer.write(integer: Self.signature.value)
    writer.write(integer: remainingSize)
    writer.write(integer: versionMadeBy)
    writer.write(integer: versionNeeded)
    writer.write(integer: diskNumber)
    writer.write(integer: centralDirectoryDisk)
    writer.write(integer: diskEntryCount)
    writer.write(integer: entryCount)
    writer.write(integer: centralDirectorySize)
    writer.write(integer: centralDirectoryOffset)
  }
}

extension Zip64EndOfCentralDirectory {
  /// Reads the record up to its extensible data sector.
  init(reading reader: inout ByteReader) throws(FormatError) {
    try reader.readSignature(Self.signature)
    remainingSize = try reader.readInteger(as: UInt64.self)
    versionMadeBy = try reader.readInteger(as: UInt16.self)
    versionNeeded = try reader.readInteger(as: UInt16.self)
    diskNumber = try reader.readInteger(as: UInt32.self)
    centralDirectoryDisk = try reader.readInteger(as: UInt32.self)
    diskEntryCount = try reader.readInteger(as: UInt64.self)
    entryCount = try reader.readInteger(as: UInt64.self)
    centralDirectorySize = try reader.readInteger(as: UInt64.self)
    centralDirectoryOffset = try reader.readInteger(as: UInt64.self)
  }
}
