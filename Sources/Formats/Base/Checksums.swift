internal import CCkptCrypto
internal import CCkptDeflate
internal import CCkptZlib

/// The checksum of ZIP: CRC-32 with the polynomial of IEEE 802.3 (APPNOTE 4.4.7).
package struct CRC32: Sendable {
  /// The checksum of all pieces so far, in sequence.
  package private(set) var value: UInt32 = 0

  /// zlib's operator for the length of the last piece; most pieces of a file have one length.
  private var combiner: (byteCount: Int, operation: UInt)?

  /// Creates the checksum of no bytes.
  package init() {}

  /// Appends a piece by its checksum and length in bytes.
  package mutating func append(_ checksum: UInt32, byteCount: Int) {
    if combiner?.byteCount != byteCount {
      combiner = (byteCount, crc32_combine_gen(byteCount))
    }
    guard let combiner else { return }
    value = UInt32(
      truncatingIfNeeded: crc32_combine_op(UInt(value), UInt(checksum), combiner.operation))
  }

  /// Returns the checksum of `bytes`, or of the bytes before and `bytes` if `continuing` is given.
  package static func checksum(_ bytes: RawSpan, continuing: UInt32 = 0) -> UInt32 {
    // libdeflate takes a null pointer as the start of a new checksum.
    guard !bytes.isEmpty else { return continuing }
    // Safe: the pointer and count describe `bytes`, alive for the call.
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe libdeflate_crc32(continuing, bytes.baseAddress, bytes.count)
    }
  }

  /// Returns the checksum of a typed view of bytes; see the method above.
  package static func checksum(_ bytes: Span<UInt8>, continuing: UInt32 = 0) -> UInt32 {
    // Safe: every byte of a span of `UInt8` is initialized.
    checksum(unsafe bytes.bytes, continuing: continuing)
  }
}

/// The hash function SHA-256 (FIPS 180-4), for bytes in several pieces.
///
/// OpenSSL uses the processor's own instructions for it, if there are any.
package struct SHA256: Sendable {
  /// A hash value.
  package struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes.
    package let bytes: [UInt8]

    fileprivate init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Parses 64 lower-case hexadecimal digits; `nil` for other text.
    package init?(hexadecimal text: String) {
      let digits = Array(text.utf8)
      guard digits.count == 2 * Int(SHA256_DIGEST_LENGTH) else { return nil }
      var bytes: [UInt8] = []
      for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = Self.value(of: digits[index]), let low = Self.value(of: digits[index + 1])
        else { return nil }
        bytes.append(high << 4 | low)
      }
      self.bytes = bytes
    }

    /// The 64 lower-case hexadecimal digits, as `sha256sum` prints them.
    package var description: String {
      let digits = Array("0123456789abcdef".utf8)
      let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
      return String(decoding: text, as: UTF8.self)
    }

    private static func value(of digit: UInt8) -> UInt8? {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
      default: nil
      }
    }
  }

  private var context = SHA256_CTX()

  /// Creates the state before any bytes.
  package init() {
    // Safe: the context is alive for the call, which writes all of it.
    unsafe SHA256_Init(&context)
  }

  /// Appends bytes.
  package mutating func update(_ bytes: RawSpan) {
    // Safe: the pointer and count describe `bytes`, alive for the call; no bytes are none to read.
    unsafe bytes.withUnsafeBytes { bytes in
      _ = unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count)
    }
  }

  /// Returns the digest of the bytes so far, and starts again.
  package mutating func finish() -> Digest {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    // Safe: the array has the size of a digest, which is what the call writes.
    unsafe digest.withUnsafeMutableBufferPointer { digest in
      _ = unsafe SHA256_Final(digest.baseAddress, &context)
    }
    // Safe: as above. The context holds the last block, from which no other bytes may go on.
    unsafe SHA256_Init(&context)
    return Digest(digest)
  }

  /// Returns the digest of `bytes`.
  package static func digest(of bytes: RawSpan) -> Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }
}
