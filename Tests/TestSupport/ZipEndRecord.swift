/// An end record as a test may edit it before it becomes bytes (APPNOTE 4.3.16).
package struct ZipEndRecord {
  /// The signature of the record.
  package var signature: UInt32 = 0x0605_4b50
  /// Number of this disk.
  package var disk: UInt16 = 0
  /// Disk where the central directory starts.
  package var directoryDisk: UInt16 = 0
  /// Entries on this disk.
  package var diskCount: UInt16
  /// Entries in all.
  package var count: UInt16
  /// Size of the central directory.
  package var size: UInt32
  /// Offset of the central directory.
  package var offset: UInt32
  /// Length of the archive comment.
  package var commentLength: UInt16 = 0

  init(count: Int, size: Int, offset: Int) {
    diskCount = UInt16(clamping: count)
    self.count = UInt16(clamping: count)
    self.size = UInt32(clamping: size)
    self.offset = UInt32(clamping: offset)
  }

  var bytes: [UInt8] {
    littleEndian(signature) + [disk, directoryDisk, diskCount, count].flatMap(littleEndian)
      + littleEndian(size) + littleEndian(offset) + littleEndian(commentLength)
  }
}
