package import CkptBase

/// Base64 (RFC 4648) with padding, in its two alphabets.
package enum Base64 {
  /// The characters for 62 and 63.
  package enum Alphabet: Sendable {
    /// `+` and `/` (section 4).
    case standard
    /// `-` and `_` (section 5).
    case urlSafe
  }

  /// The base64 text of `bytes`.
  package static func encode(_ bytes: some Collection<UInt8>, _ alphabet: Alphabet) -> String {
    let digits = Array(
      ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        + (alphabet == .standard ? "+/" : "-_")).utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var bits: UInt32 = 0
    var bitCount = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      bitCount += 8
      while bitCount >= 6 {
        bitCount -= 6
        text.append(digits[Int(bits >> UInt32(bitCount) & 63)])
      }
    }
    if bitCount > 0 { text.append(digits[Int(bits << UInt32(6 - bitCount) & 63)]) }
    while !text.count.isMultiple(of: 4) { text.append(UInt8(ascii: "=")) }
    return String(decoding: text, as: UTF8.self)
  }
}

extension Base64 {
  /// The bytes that `text` stands for, or `nil` if it is not canonical base64 with padding.
  package static func decode(_ text: String, _ alphabet: Alphabet) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 4) else { return nil }
    let padding = digits.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 4 * 3)
    var bits: UInt32 = 0
    var bitCount = 0
    for digit in digits.dropLast(padding) {
      guard let value = value(of: digit, alphabet) else { return nil }
      bits = bits << 6 | value
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
      }
    }
    // Bits that no byte takes must be zero, or two texts would mean the same bytes.
    guard bits & (1 << UInt32(bitCount) - 1) == 0 else { return nil }
    return bytes
  }

  private static func value(of digit: UInt8, _ alphabet: Alphabet) -> UInt32? {
    switch (digit, alphabet) {
    case (UInt8(ascii: "A")...UInt8(ascii: "Z"), _): UInt32(digit - UInt8(ascii: "A"))
    case (UInt8(ascii: "a")...UInt8(ascii: "z"), _): UInt32(digit - UInt8(ascii: "a")) + 26
    case (UInt8(ascii: "0")...UInt8(ascii: "9"), _): UInt32(digit - UInt8(ascii: "0")) + 52
    case (UInt8(ascii: "+"), .standard), (UInt8(ascii: "-"), .urlSafe): 62
    case (UInt8(ascii: "/"), .standard), (UInt8(ascii: "_"), .urlSafe): 63
    default: nil
    }
  }
}

extension JSONReader {
  /// Reads a string that is base64, and returns what it stands for.
  ///
  /// - Throws: `malformed` if the next value is another.
  @_lifetime(self: copy self)
  package mutating func base64(_ alphabet: Base64.Alphabet) throws(CheckpointError) -> [UInt8] {
    let start = offset
    guard let bytes = Base64.decode(try string(), alphabet) else {
      throw CheckpointError(.malformed, "this is not base64", at: start)
    }
    return bytes
  }
}
