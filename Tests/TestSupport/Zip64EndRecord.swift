/// A ZIP64 end record as a test may edit it before it becomes bytes (APPNOTE 4.3.14).
package struct Zip64EndRecord {
  /// The signature of the record.
  package var signature: UInt32 = 0x0606_4b50
  /// Size of the rest of the record.
  package var remainingSize: UInt64 = 44
  /// Version made by.
  package var versionMadeBy: UInt16 = 0x031e
  /// Version needed to extract.
  package var versionNeeded: UInt16 = 0x002d
  /// Number of this disk.
  package var disk: UInt32 = 0
  /// Disk where the central directory starts.
  package var directoryDisk: UInt32 = 0
  /// Entries on this disk.
  package var diskCount: UInt64
  /// Entries in all.
  package var count: UInt64
  /// Size of the central directory.
  package var size: UInt64
  /// Offset of the central directory.
  package var offset: UInt64
  /// Bytes of the extensible data sector.
  package var dataSector: [UInt8] = []

  init(count: Int, size: Int, offset: Int) {
    diskCount = UInt64(count)
    self.count = UInt64(count)
    self.size = UInt64(size)
    self.offset = UInt64(offset)
  }

  var bytes: [UInt8] {
    let head = littleEndian(signature) + littleEndian(remainingSize)
    let versions = littleEndian(versionMadeBy) + littleEndian(versionNeeded)
    let disks = littleEndian(disk) + littleEndian(directoryDisk)
    return head + versions + disks + [diskCount, count, size, offset].flatMap(littleEndian)
      + dataSector
  }
}
