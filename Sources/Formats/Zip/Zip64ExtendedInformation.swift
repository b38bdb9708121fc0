internal import Bytes

/// The fields of a header that may not fit 32 bits, as wide as they get (APPNOTE 4.5.3).
///
/// | bytes | field |
/// | ---: | --- |
/// | 8 | uncompressed size |
/// | 8 | compressed size |
/// | 8 | offset of the local header |
/// | 4 | disk where the data starts |
///
/// The extra field holds each of them only where the header's own field is at its maximum, in this
/// order. torch writes more into local headers, whose own fields are zero; that is not read.
struct Zip64ExtendedInformation {
  static let headerID: UInt16 = 0x0001

  private(set) var uncompressedSize: UInt64
  private(set) var compressedSize: UInt64
  private(set) var localHeaderOffset: UInt64
  private(set) var startDisk: UInt32

  /// The narrow fields of a central header.
  init(_ header: CentralDirectoryHeader) {
    uncompressedSize = UInt64(header.uncompressedSize)
    compressedSize = UInt64(header.compressedSize)
    localHeaderOffset = UInt64(header.localHeaderOffset)
    startDisk = UInt32(header.startDisk)
  }

  /// The narrow fields of a local header, which tells sizes only.
  init(_ header: LocalFileHeader) {
    uncompressedSize = UInt64(header.uncompressedSize)
    compressedSize = UInt64(header.compressedSize)
    localHeaderOffset = 0
    startDisk = 0
  }

  /// Whether a narrow field is at its maximum.
  var isNeeded: Bool {
    let maximum = UInt64(UInt32.max)
    return uncompressedSize == maximum || compressedSize == maximum
      || localHeaderOffset == maximum || startDisk == UInt32(UInt16.max)
  }

  /// Replaces the narrow fields that are at their maximum by those of the extra field.
  ///
  /// - Throws: `truncated` when the extra field is too short for them.
  mutating func widen(reading field: inout ByteReader) throws(FormatError) {
    let maximum = UInt64(UInt32.max)
    if uncompressedSize == maximum { uncompressedSize = try field.readInteger(as: UInt64.self) }
    if compressedSize == maximum { compressedSize = try field.readInteger(as: UInt64.self) }
    if localHeaderOffset == maximum { localHeaderOffset = try field.readInteger(as: UInt64.self) }
    if startDisk == UInt32(UInt16.max) { startDisk = try field.readInteger(as: UInt32.self) }
  }
}
