package import Bytes

/// What a local header tells of its entry, for archives whose table of contents is missing.
///
/// Its sizes are not to be trusted: `torch.save` leaves them zero.
package struct LeadingEntry: Sendable {
  /// The entry's name.
  package let name: String
  /// Where its data starts, in bytes from the start of the file.
  package let dataOffset: Int

  /// The size of what `torch.save` puts behind the data of an entry that is not empty, as long as
  /// neither its data nor its place needs more than 32 bits.
  package static let descriptorByteCount = 16

  /// The entry whose local header is at `offset`, or `nil` where there is none.
  ///
  /// - Throws: `inputOutput` when the file cannot be read.
  package init?(in file: SourceFile, at offset: Int) throws(FormatError) {
    let end = offset + LocalFileHeader.byteCount
    guard offset >= 0, end <= file.byteCount else { return nil }
    let bytes = try file.bytes(in: offset..<end)
    var reader = ByteReader(bytes.span, base: offset)
    guard let header = try? LocalFileHeader(reading: &reader) else { return nil }
    let nameEnd = end + Int(header.nameLength)
    guard nameEnd <= file.byteCount,
      let name = String(validating: try file.bytes(in: end..<nameEnd), as: UTF8.self)
    else { return nil }
    self.name = name
    dataOffset = offset + header.totalByteCount
  }
}
