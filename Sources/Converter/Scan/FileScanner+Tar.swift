internal import CkptBase

/// Tar archives, in which PyTorch before 0.2 kept its pickles (`torch/serialization.py`,
/// `_legacy_load`), and others keep anything.
extension FileScanner {
  /// The members in which PyTorch before 0.2 put raw data between pickles.
  private static let interleavedNames: Set<String> = ["storages", "tensors"]

  /// Scans every member, and what follows the end of the archive; returns where the members are.
  mutating func scanTar(_ item: Item) throws(CheckpointError) -> [Range<Int>] {
    let byteCount = item.source.byteCount
    var members: [Range<Int>] = []
    var offset = 0
    while offset < byteCount {
      let block = try item.source.bytes(in: offset..<offset + TarHeader.byteCount)
      guard let header = TarHeader(reading: block) else { break }
      let start = offset + TarHeader.byteCount
      guard let size = header.size, size <= byteCount - start else {
        note(.broken, at: item, offset: offset, "a member of the tar archive has no valid size")
        return members
      }
      members.append(start..<start + size)
      let member = try item.inner(SliceSource(start..<start + size, of: item.source), header.name)
      if Self.interleavedNames.contains(header.name) {
        try scanInterleavedPickles(member)
      } else {
        try scan(member)
      }
      offset = start + (size + TarHeader.byteCount - 1) / TarHeader.byteCount * TarHeader.byteCount
    }
    guard offset < byteCount, let rest = try firstNonZero(of: item.source, from: offset) else {
      return members
    }
    // A block of zeros ends the archive, and others find more behind it.
    let start = rest / TarHeader.byteCount * TarHeader.byteCount
    note(
      .suspicious, at: item, offset: rest, "\(byteCount - rest) bytes stand after the tar archive")
    try scan(
      item.inner(SliceSource(start..<byteCount, of: item.source), "after the archive"))
    return members
  }

  /// Returns the offset of the first byte from `offset` on that is not zero.
  private func firstNonZero(
    of source: any ByteSource, from offset: Int
  ) throws(CheckpointError) -> Int? {
    let window = 1 << 20
    for start in stride(from: offset, to: source.byteCount, by: window) {
      let bytes = try source.bytes(in: start..<min(start + window, source.byteCount))
      if let index = bytes.firstIndex(where: { $0 != 0 }) { return start + index }
    }
    return nil
  }
}

/// The header of a member of a tar archive (POSIX.1 `pax`, ustar).
///
/// | bytes | field |
/// | --- | --- |
/// | 0..<100 | name, up to a zero byte |
/// | 124..<136 | size in octal digits, or in base 256 if the first bit is set |
/// | 148..<156 | checksum in octal digits: the sum of all bytes, these taken for spaces |
struct TarHeader {
  /// The size of a header, to a multiple of which data is padded, in bytes.
  static let byteCount = 512

  /// The name of the member.
  let name: String
  /// The size of its data in bytes; `nil` for one that is no number.
  let size: Int?

  /// Reads a header; `nil` where the checksum does not say that it is one, which is how Python tells
  /// (CPython `Lib/tarfile.py`, `frombuf`).
  init?(reading bytes: [UInt8]) {
    guard bytes.count >= Self.byteCount else { return nil }
    let checksum = 148..<156
    var (sum, signedSum) = (0, 0)
    for index in 0..<Self.byteCount {
      let byte = checksum.contains(index) ? 0x20 : bytes[index]
      sum += Int(byte)
      signedSum += Int(Int8(bitPattern: byte))
    }
    guard let expected = Self.number(bytes[checksum]), [sum, signedSum].contains(expected),
      bytes[0] != 0
    else { return nil }
    name = String(decoding: bytes[..<100].prefix { $0 != 0 }, as: UTF8.self)
    size = Self.number(bytes[124..<136])
  }

  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if field.first == 0x80 {
      return field.dropFirst().reduce(0) { value, byte in
        value.flatMap { $0 > Int.max >> 8 ? nil : $0 << 8 | Int(byte) }
      }
    }
    let digits = field.drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 != 0 && $0 != 0x20 }
    guard digits.count <= 12 else { return nil }
    return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}
