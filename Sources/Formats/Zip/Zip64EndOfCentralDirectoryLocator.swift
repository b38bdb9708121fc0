internal import Bytes

/// Where the ``Zip64EndOfCentralDirectory`` is; stands right before ``EndOfCentralDirectory``
/// (APPNOTE 4.3.15).
///
/// | offset | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 4 | signature `50 4b 06 07` |
/// | 4 | 4 | disk with the ZIP64 end of central directory record |
/// | 8 | 8 | offset of that record from the start of the archive |
/// | 16 | 4 | number of disks |
struct Zip64EndOfCentralDirectoryLocator {
  static let signature = RecordSignature(0x0706_4b50, "ZIP64 end of central directory locator")
  static let byteCount = 20

  let endRecordDisk: UInt32
  let endRecordOffset: UInt64
  let diskCount: UInt32

  /// Writes the record.
  func write(to writer: inout ByteWriter) {
    writer.write(integer: Self.signature.value)
    writer.write(integer: endRecordDisk)
    writer.write(integer: endRecordOffset)
    writer.write(integer: diskCount)
  }
}

extension Zip64EndOfCentralDirectoryLocator {
  /// Reads the whole record.
  init(reading reader: inout ByteReader) throws(FormatError) {
    try reader.readSignature(Self.signature)
    endRecordDisk = try reader.readInteger(as: UInt32.self)
    endRecordOffset = try reader.readInteger(as: UInt64.self)
    diskCount = try reader.readInteger(as: UInt32.self)
  }
}
