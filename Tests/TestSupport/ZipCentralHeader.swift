/// A central directory header as a test may edit it before it becomes bytes (APPNOTE 4.3.12).
package struct ZipCentralHeader {
  /// The signature of the record.
  package var signature: UInt32 = 0x0201_4b50
  /// Version made by.
  package var versionMadeBy: UInt16 = 0
  /// Version needed to extract.
  package var versionNeeded: UInt16 = 0
  /// General purpose flags.
  package var flags: UInt16 = 0
  /// Compression method.
  package var method: UInt16
  /// DOS time of the last change.
  package var time: UInt16 = 0
  /// DOS date of the last change.
  package var date: UInt16 = 0
  /// CRC-32 of the data.
  package var crc32: UInt32 = 0
  /// Size of the data in the file.
  package var compressedSize: UInt32 = 0
  /// Size of the decoded data.
  package var uncompressedSize: UInt32 = 0
  /// Disk where the data starts.
  package var startDisk: UInt16 = 0
  /// Internal attributes.
  package var internalAttributes: UInt16 = 0
  /// External attributes.
  package var externalAttributes: UInt32 = 0
  /// Offset of the local header.
  package var localHeaderOffset: UInt32 = 0
  /// Bytes of the name.
  package var name: [UInt8]
  /// Bytes of the extra field.
  package var extra: [UInt8] = []
  /// Bytes of the comment.
  package var comment: [UInt8] = []
  /// The number of times that the header is written; zero for none.
  package var repetitions = 1

  init(name: [UInt8], method: UInt16) {
    self.name = name
    self.method = method
  }

  var bytes: [UInt8] {
    let head =
      littleEndian(signature)
      + [versionMadeBy, versionNeeded, flags, method, time, date].flatMap(littleEndian)
    let sizes = [crc32, compressedSize, uncompressedSize].flatMap(littleEndian)
    let lengths = [name, extra, comment].flatMap { littleEndian(UInt16($0.count)) }
    let attributes = littleEndian(startDisk) + littleEndian(internalAttributes)
    let place = littleEndian(externalAttributes) + littleEndian(localHeaderOffset)
    let header = head + sizes + lengths + attributes + place + name + extra + comment
    return (0..<repetitions).flatMap { _ in header }
  }
}
