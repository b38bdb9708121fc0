internal import Bytes

/// Tar archives, in which PyTorch before 0.2 kept its pickles (`torch/serialization.py`,
/// `legacy_load`), and others keep anything.
extension FileScanner {
  /// The size that headers and data are padded to, in bytes (POSIX.1 `pax`, ustar).
  private static let blockByteCount = 512
  private static let nameField = 0..<100
  private static let sizeField = 124..<136

  /// Scans every member that begins like a pickle.
  mutating func scanTar() throws(FormatError) {
    var place = 0
    while place + Self.blockByteCount <= file.byteCount {
      let header = try file.bytes(in: place..<place + Self.blockByteCount)
      guard header.contains(where: { $0 != 0 }) else { return }
      guard let size = Self.octal(header[Self.sizeField]),
        size <= file.byteCount - place - Self.blockByteCount
      else {
        return note(.broken, offset: place, "a member of the tar archive has no valid size")
      }
      let nameBytes = header[Self.nameField].prefix { $0 != 0 }
      let name = String(decoding: nameBytes, as: UTF8.self)
      let start = place + Self.blockByteCount
      try sweep(start..<start + size, at: [name], .anything, allowsRest: true)
      place = start + (size + Self.blockByteCount - 1) / Self.blockByteCount * Self.blockByteCount
    }
  }

  /// A number in octal digits, as the header has it.
  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    guard digits.count <= 12, !digits.isEmpty else { return nil }
    return Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}
