internal import CkptBase

/// The tagged fields that extend a header (APPNOTE 4.5.1).
///
/// | offset | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 2 | header id |
/// | 2 | 2 | data size |
/// | 4 | … | data, then the next field |
struct ExtraField {
  /// The header id of torch's padding `FB`, which aligns the data
  /// (`caffe2/serialize/inline_container.cc`).
  static let torchPaddingID: UInt16 = 0x4246
  static let leadingByteCount = 4

  /// Whether torch's padding is present.
  private(set) var hasTorchPadding = false

  /// Reads `count` bytes of tagged fields.
  ///
  /// A ZIP64 field widens those of the header.
  ///
  /// - Throws: `malformed` if a field runs past the end, or if the ZIP64 field is repeated or
  ///   missing; `truncated` if that field is too short.
  init(
    reading reader: inout ByteReader, count: Int, widening header: inout Zip64ExtendedInformation,
    _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) {
    let base = reader.offset
    var fields = ByteReader(try reader.readBytes(count: count), base: base)
    var isWide = false
    // Fewer bytes cannot be a field. Android's zipalign leaves such zeros at the end.
    while fields.remaining >= ExtraField.leadingByteCount {
      let start = fields.offset
      let id = try fields.readInteger(as: UInt16.self)
      let size = Int(try fields.readInteger(as: UInt16.self))
      guard size <= fields.remaining else {
        try faults.note(
          CheckpointError(
            .malformed,
            "an extra field would have \(size) bytes, but only \(fields.remaining) are left",
            at: start))
        break
      }
      var field = ByteReader(
        try fields.readBytes(count: size), base: start + ExtraField.leadingByteCount)
      switch id {
      case ExtraField.torchPaddingID: hasTorchPadding = true
      case Zip64ExtendedInformation.headerID:
        if isWide {
          try faults.note(
            CheckpointError(.malformed, "the ZIP64 extra field is repeated", at: start))
        }
        try header.widen(reading: &field)
        isWide = true
      default: break
      }
    }
    if !isWide, header.isNeeded {
      try faults.note(
        CheckpointError(
          .malformed, "a field refers to the ZIP64 extra field, which is missing", at: base))
    }
  }
}

/// The fields of a header that can exceed 32 bits, in their final width (APPNOTE 4.5.3).
///
/// | bytes | field |
/// | ---: | --- |
/// | 8 | uncompressed size |
/// | 8 | compressed size |
/// | 8 | offset of the local header |
/// | 4 | disk where the data starts |
///
/// The extra field holds a field only if the header's own field is at its maximum, in this order.
/// torch writes more into local headers, whose own fields are zero; that is not read.
struct Zip64ExtendedInformation {
  static let headerID: UInt16 = 0x0001

  private(set) var uncompressedSize: UInt64
  private(set) var compressedSize: UInt64
  private(set) var localHeaderOffset: UInt64
  private(set) var startDisk: UInt32

  /// Creates the narrow fields of a central header.
  init(_ header: CentralDirectoryHeader) {
    uncompressedSize = UInt64(header.uncompressedSize)
    compressedSize = UInt64(header.compressedSize)
    localHeaderOffset = UInt64(header.localHeaderOffset)
    startDisk = UInt32(header.startDisk)
  }

  /// Creates the narrow fields of a local header, which has only sizes.
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

  /// Replaces the narrow fields at their maximum by those of the extra field.
  ///
  /// - Throws: `truncated` if the extra field is too short.
  mutating func widen(reading field: inout ByteReader) throws(CheckpointError) {
    let maximum = UInt64(UInt32.max)
    if uncompressedSize == maximum { uncompressedSize = try field.readInteger(as: UInt64.self) }
    if compressedSize == maximum { compressedSize = try field.readInteger(as: UInt64.self) }
    if localHeaderOffset == maximum { localHeaderOffset = try field.readInteger(as: UInt64.self) }
    if startDisk == UInt32(UInt16.max) { startDisk = try field.readInteger(as: UInt32.self) }
  }
}
