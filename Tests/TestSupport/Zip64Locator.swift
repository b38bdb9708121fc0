/// A ZIP64 end record locator as a test may edit it before it becomes bytes (APPNOTE 4.3.15).
package struct Zip64Locator {
  /// The signature of the record.
  package var signature: UInt32 = 0x0706_4b50
  /// Disk with the ZIP64 end record.
  package var disk: UInt32 = 0
  /// Offset of the ZIP64 end record.
  package var endRecordOffset: UInt64
  /// Number of disks.
  package var diskCount: UInt32 = 1

  init(endRecordOffset: Int) { self.endRecordOffset = UInt64(endRecordOffset) }

  var bytes: [UInt8] {
    littleEndian(signature) + littleEndian(disk) + littleEndian(endRecordOffset)
      + littleEndian(diskCount)
  }
}
