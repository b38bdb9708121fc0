internal import CNettle

/// The hash function SHA-256 (FIPS 180-4), over bytes that arrive piece by piece.
///
/// Nettle uses the processor's own instructions for it where there are any.
package struct SHA256: Sendable {
  /// The hash of some bytes.
  package struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes of it.
    package let bytes: [UInt8]

    fileprivate init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The digest that 64 lower-case hexadecimal digits stand for, or `nil` for any other text.
    package init?(hexadecimal text: String) {
      let digits = Array(text.utf8)
      guard digits.count == 2 * Int(SHA256_DIGEST_SIZE) else { return nil }
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

  private var context = sha256_ctx()

  /// The state before any bytes.
  package init() {
    // Safe: the context is alive for the call, which writes all of it that is ever read.
    unsafe nettle_sha256_init(&context)
  }

  /// Takes in the next bytes.
  package mutating func update(_ bytes: RawSpan) {
    // Safe: the pointer and count describe `bytes`, alive for the call; no bytes are none to read.
    unsafe bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      unsafe nettle_sha256_update(
        &context, bytes.count, start.assumingMemoryBound(to: UInt8.self))
    }
  }

  /// The digest of the bytes so far; the next ones begin anew.
  package mutating func finish() -> Digest {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
    // Safe: the array has the size of a digest, which is what the call writes.
    unsafe digest.withUnsafeMutableBufferPointer { digest in
      unsafe ckptconv_sha256_digest(&context, digest.baseAddress)
    }
    return Digest(digest)
  }

  /// The digest of `bytes`.
  package static func digest(of bytes: RawSpan) -> Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }
}
