internal import Bytes

/// The tagged fields that extend a header (APPNOTE 4.5.1).
///
/// | offset | bytes | field |
/// | ---: | ---: | --- |
/// | 0 | 2 | header id |
/// | 2 | 2 | data size |
/// | 4 | … | data, then the next field |
struct ExtraField {
  /// torch's filler `FB`, which aligns the data (`caffe2/serialize/inline_container.cc`).
  static let torchPaddingID: UInt16 = 0x4246
  static let leadingByteCount = 4

  /// Whether torch's filler is there.
  private(set) var hasTorchPadding = false

  /// Reads `count` bytes of tagged fields; a ZIP64 field widens those of the header.
  ///
  /// - Throws: `malformed` when a field runs past the end, or the ZIP64 field occurs twice or is
  ///   missing where the header refers to it; `truncated` when that field is too short.
  init(
    reading reader: inout ByteReader, count: Int, widening header: inout Zip64ExtendedInformation,
    _ faults: inout ZipFaults
  ) throws(FormatError) {
    let base = reader.offset
    var fields = ByteReader(try reader.readBytes(count: count), base: base)
    var isWide = false
    // Fewer bytes than that cannot be a field; Android's zipalign leaves such zeros at the end.
    while fields.remaining >= ExtraField.leadingByteCount {
      let start = fields.offset
      let id = try fields.readInteger(as: UInt16.self)
      let size = Int(try fields.readInteger(as: UInt16.self))
      guard size <= fields.remaining else {
        try faults.note(
          FormatError(
            .malformed, "an extra field announces \(size) bytes, \(fields.remaining) are left",
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
            FormatError(.malformed, "the ZIP64 extra field occurs twice", at: start))
        }
        try header.widen(reading: &field)
        isWide = true
      default: break
      }
    }
    if !isWide, header.isNeeded {
      try faults.note(
        FormatError(
          .malformed, "a field refers to the ZIP64 extra field, which is missing", at: base))
    }
  }
}
