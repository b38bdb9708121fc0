internal import CkptBase

/// The last record of an archive, which locates its table of contents (APPNOTE 4.3.16).
///
/// | offset | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 4 | signature `50 4b 05 06` |
/// | 4 | 2 | number of this disk |
/// | 6 | 2 | disk where the central directory starts |
/// | 8 | 2 | entries on this disk |
/// | 10 | 2 | entries in all |
/// | 12 | 4 | size of the central directory |
/// | 16 | 4 | offset of the central directory from the start of the archive |
/// | 20 | 2 | comment length, then the comment |
///
/// A field at its maximum refers to the same field of ``Zip64EndOfCentralDirectory``.
struct EndOfCentralDirectory {
  static let signature = RecordSignature(0x0605_4b50, "end of central directory record")
  static let byteCount = 22
  /// The number of bytes at the end of the file to search for the record.
  ///
  /// A comment has at most 65,535 bytes. torch searches the same range, so it opens the same
  /// archives.
  static let searchByteCount = byteCount + (64 << 10)

  let diskNumber: UInt16
  let centralDirectoryDisk: UInt16
  let diskEntryCount: UInt16
  let entryCount: UInt16
  let centralDirectorySize: UInt32
  let centralDirectoryOffset: UInt32
  let commentLength: UInt16

  /// Writes the record, without its comment.
  func write(to writer: inout ByteWriter) {
    writer.write(integer: Self.signature.value)
    writer.write(integer: diskNumber)
    writer.write(integer: centralDirectoryDisk)
    writer.write(integer: diskEntryCount)
    writer.write(integer: entryCount)
    writer.write(integer: centralDirectorySize)
    writer.write(integer: centralDirectoryOffset)
    writer.write(integer: commentLength)
  }

  /// Whether a field refers to the ZIP64 record; 65,535 is also a valid count.
  var needsZip64Record: Bool {
    centralDirectorySize == .max || centralDirectoryOffset == .max
  }

  /// Returns the offset of the last such record in the last bytes of a file, or `nil` for none.
  ///
  /// Like the readers of torch and Python, it uses the last signature with room for a record.
  static func offset(in tail: [UInt8]) -> Int? {
    let mark = signature.bytes
    var index = tail.count - byteCount
    while index >= 0 {
      if tail[index] == mark[0], tail[index...].starts(with: mark) { return index }
      index -= 1
    }
    return nil
  }
}

extension EndOfCentralDirectory {
  /// Reads the record up to its comment.
  init(reading reader: inout ByteReader) throws(CheckpointError) {
    try reader.readSignature(Self.signature)
    diskNumber = try reader.readInteger(as: UInt16.self)
    centralDirectoryDisk = try reader.readInteger(as: UInt16.self)
    diskEntryCount = try reader.readInteger(as: UInt16.self)
    entryCount = try reader.readInteger(as: UInt16.self)
    centralDirectorySize = try reader.readInteger(as: UInt32.self)
    centralDirectoryOffset = try reader.readInteger(as: UInt32.self)
    commentLength = try reader.readInteger(as: UInt16.self)
  }
}

/// The 64-bit form of ``EndOfCentralDirectory`` (APPNOTE 4.3.14).
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
  /// The number of bytes before those that ``remainingSize`` counts.
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
  init(reading reader: inout ByteReader) throws(CheckpointError) {
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

/// The record that locates ``Zip64EndOfCentralDirectory``.
///
/// It stands directly before ``EndOfCentralDirectory`` (APPNOTE 4.3.15).
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
  init(reading reader: inout ByteReader) throws(CheckpointError) {
    try reader.readSignature(Self.signature)
    endRecordDisk = try reader.readInteger(as: UInt32.self)
    endRecordOffset = try reader.readInteger(as: UInt64.self)
    diskCount = try reader.readInteger(as: UInt32.self)
  }
}
