internal import Bytes

extension FileRegion {
  /// Tells two regions apart; equal descriptions of the same bytes of the same open file are one.
  package struct Identity: Hashable {
    private let file: ObjectIdentifier
    private let range: Range<Int>
    private let encoding: Encoding
    private let byteCount: Int
    private let crc32: UInt32?

    /// The identity of `region`.
    package init(_ region: FileRegion) {
      file = ObjectIdentifier(region.file)
      range = region.range
      encoding = region.encoding
      byteCount = region.byteCount
      crc32 = region.crc32
    }
  }
}
