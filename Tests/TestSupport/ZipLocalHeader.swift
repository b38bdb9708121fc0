/// A local file header as a test may edit it before it becomes bytes (APPNOTE 4.3.7).
package struct ZipLocalHeader {
  /// The signature of the record.
  package var signature: UInt32 = 0x0403_4b50
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
  /// Bytes of the name.
  package var name: [UInt8]
  /// Bytes of the extra field.
  package var extra: [UInt8] = []

  init(name: [UInt8], method: UInt16) {
    self.name = name
    self.method = method
  }

  var bytes: [UInt8] {
    let head =
      littleEndian(signature)
      + [versionNeeded, flags, method, time, date].flatMap(littleEndian)
    let sizes = [crc32, compressedSize, uncompressedSize].flatMap(littleEndian)
    let lengths = [name, extra].flatMap { littleEndian(UInt16($0.count)) }
    return head + sizes + lengths + name + extra
  }
}
