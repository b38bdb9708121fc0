internal import Bytes
package import Graph

/// One entry of an archive, after every check that can be made without its data.
package struct ZipEntry: Sendable {
  /// The full name, with the directory of `torch.save` in front.
  package let name: String
  /// How the data is stored.
  package let encoding: FileRegion.Encoding
  /// The flags of the central directory.
  package let flags: GeneralPurposeFlags
  /// The CRC-32 in the central directory; zero in archives without checksums.
  package let crc32: UInt32
  /// The size of the data once decoded, in bytes.
  package let byteCount: Int
  /// The size of the data in the file, in bytes.
  package let storedByteCount: Int
  /// Where the local header starts, in bytes from the start of the file.
  package let localHeaderOffset: Int
  /// Where the data starts, in bytes from the start of the file; only the local header tells.
  package internal(set) var dataOffset: Int

  /// Where the data lies in the file.
  package var dataRange: Range<Int> { dataOffset..<dataOffset + storedByteCount }

  /// Whether the entry stands for a directory, which has no data.
  package var isDirectory: Bool { name.utf8.last == UInt8(ascii: "/") }

  /// The most bytes that are read, decompressed, from an entry that is or may be a pickle.
  package var pickleByteLimit: Int {
    guard encoding == .deflated else { return Limits.pickleBytes }
    let (bytes, overflow) = storedByteCount.multipliedReportingOverflow(
      by: Limits.deflatedPickleRatio)
    return overflow
      ? Limits.pickleBytes
      : min(Limits.pickleBytes, max(Limits.deflatedPickleBytesAtLeast, bytes))
  }

  /// The entry's data in `directory`'s file.
  package func region(in directory: ZipDirectory) -> FileRegion {
    FileRegion(
      file: directory.file, range: dataRange, encoding: encoding, byteCount: byteCount,
      crc32: directory.layout.hasChecksums ? crc32 : nil, name: name)
  }
}
