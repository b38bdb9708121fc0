internal import CkptBase
package import CkptGraph

/// An entry of an archive, after all checks that do not need its data.
package struct ZipEntry: Sendable {
  /// The full name, with the directory of `torch.save`.
  package let name: String
  /// The encoding of the data.
  package let encoding: FileRegion.Encoding
  /// The flags of the central directory.
  package let flags: GeneralPurposeFlags
  /// The CRC-32 in the central directory; zero in archives without checksums.
  package let crc32: UInt32
  /// The decoded size of the data in bytes.
  package let byteCount: Int
  /// The size of the data in the file, in bytes.
  package let storedByteCount: Int
  /// The offset of the local header, in bytes from the start of the file.
  package let localHeaderOffset: Int
  /// The start of the data, in bytes from the start of the file; only the local header gives it.
  package internal(set) var dataOffset: Int

  /// The range of the data in the file.
  package var dataRange: Range<Int> { dataOffset..<dataOffset + storedByteCount }

  /// Whether the entry is a directory, which has no data.
  package var isDirectory: Bool { name.utf8.last == UInt8(ascii: "/") }

  /// The maximum number of decoded bytes to read from an entry that is or can be a pickle.
  package var pickleByteLimit: Int {
    guard encoding == .deflated else { return Limits.pickleBytes }
    let (bytes, overflow) = storedByteCount.multipliedReportingOverflow(
      by: Limits.deflatedPickleRatio)
    return overflow
      ? Limits.pickleBytes
      : min(Limits.pickleBytes, max(Limits.deflatedPickleBytesAtLeast, bytes))
  }

  /// Returns the region of the entry's data in the file of `directory`.
  package func region(in directory: ZipDirectory) -> FileRegion {
    FileRegion(
      source: directory.source, range: dataRange, encoding: encoding, byteCount: byteCount,
      crc32: directory.layout.hasChecksums && !lacksChecksum ? crc32 : nil, name: name)
  }

  /// Whether the entry has data and a checksum of zero, which is what programs write that fill in
  /// the data later (`torch.serialization.skip_data`).
  package var lacksChecksum: Bool { crc32 == 0 && byteCount > 0 }
}

/// The compression method of an entry (APPNOTE 4.4.5).
struct CompressionMethod: RawRepresentable, Hashable {
  let rawValue: UInt16

  /// The encoding of the data, or `nil` for methods that torch cannot read either.
  var encoding: FileRegion.Encoding? {
    switch rawValue {
    case 0: .stored
    case 8: .deflated
    default: nil
    }
  }

  /// The names of methods, for messages that refuse them.
  private static let names: [UInt16: String] = [
    1: "Shrink", 2: "Reduce 1", 3: "Reduce 2", 4: "Reduce 3", 5: "Reduce 4", 6: "Implode",
    9: "Deflate64", 10: "PKWARE DCL Implode", 12: "BZIP2", 14: "LZMA", 16: "IBM CMPSC",
    18: "IBM TERSE", 19: "IBM LZ77", 20: "old Zstandard", 93: "Zstandard", 94: "MP3", 95: "XZ",
    96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AE-x encryption",
  ]
}

extension CompressionMethod: CustomStringConvertible {
  /// The number, with the name if it is known.
  var description: String {
    guard let name = CompressionMethod.names[rawValue] else { return "method \(rawValue)" }
    return "method \(rawValue) (\(name))"
  }
}

/// The general purpose bit flag of an entry (APPNOTE 4.4.4).
package struct GeneralPurposeFlags: OptionSet, Hashable, Sendable {
  /// The sixteen bits.
  package let rawValue: UInt16

  /// Creates flags from their sixteen bits.
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The data is encrypted.
  package static let encrypted = GeneralPurposeFlags(rawValue: 1 << 0)
  /// Checksum and sizes follow the data in a data descriptor.
  package static let dataDescriptor = GeneralPurposeFlags(rawValue: 1 << 3)
  /// The data is a patch for another file.
  package static let patchedData = GeneralPurposeFlags(rawValue: 1 << 5)
  /// The data is encrypted with PKWARE's strong encryption.
  package static let stronglyEncrypted = GeneralPurposeFlags(rawValue: 1 << 6)
  /// The name is UTF-8.
  package static let utf8Name = GeneralPurposeFlags(rawValue: 1 << 11)
  /// Fields of the local header are masked because the central directory is encrypted.
  package static let maskedHeader = GeneralPurposeFlags(rawValue: 1 << 13)

  /// The reason why this reader cannot handle the data, or `nil`.
  var obstacle: String? {
    if contains(.stronglyEncrypted) || contains(.maskedHeader) { return "strongly encrypted" }
    if contains(.encrypted) { return "encrypted" }
    if contains(.patchedData) { return "a patch for another file" }
    return nil
  }
}
