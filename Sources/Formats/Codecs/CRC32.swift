internal import CDeflate
internal import CZlib

/// The checksum of ZIP: CRC-32 with the polynomial of IEEE 802.3 (APPNOTE 4.4.7).
package struct CRC32: Sendable {
  /// The checksum of the pieces appended so far, as if they lay one after the other.
  package private(set) var value: UInt32 = 0

  /// zlib's operator for the length of the last piece: most pieces of a file have one length.
  private var combiner: (byteCount: Int, operation: UInt)?

  /// The checksum of no bytes.
  package init() {}

  /// Takes in the next piece, known by its checksum and its length in bytes.
  package mutating func append(_ checksum: UInt32, byteCount: Int) {
    if combiner?.byteCount != byteCount {
      combiner = (byteCount, crc32_combine_gen(byteCount))
    }
    guard let combiner else { return }
    value = UInt32(
      truncatingIfNeeded: crc32_combine_op(UInt(value), UInt(checksum), combiner.operation))
  }

  /// The checksum of `bytes`, or of everything so far when `continuing` is that of the bytes before.
  package static func checksum(_ bytes: RawSpan, continuing: UInt32 = 0) -> UInt32 {
    // libdeflate takes a null pointer as the start of a new checksum.
    guard !bytes.isEmpty else { return continuing }
    // Safe: the pointer and count describe `bytes`, alive for the call.
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe libdeflate_crc32(continuing, bytes.baseAddress, bytes.count)
    }
  }

  /// The checksum of a typed view of bytes; see the method above.
  package static func checksum(_ bytes: Span<UInt8>, continuing: UInt32 = 0) -> UInt32 {
    // Safe: every byte of a span of `UInt8` is initialised.
    checksum(unsafe bytes.bytes, continuing: continuing)
  }
}
