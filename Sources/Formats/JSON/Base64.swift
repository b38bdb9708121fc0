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
    String(decoding: encode(Array(bytes).span, alphabet), as: UTF8.self)
  }

  /// The base64 text of `bytes`, in ASCII.
  package static func encode(_ bytes: Span<UInt8>, _ alphabet: Alphabet) -> [UInt8] {
    let digits = alphabet == .standard ? standardDigits : urlSafeDigits
    let groupCount = bytes.count / 3
    let rest = bytes.count % 3
    return [UInt8](capacity: (bytes.count + 2) / 3 * 4) { text in
      for group in 0..<groupCount {
        let bits =
          Int(bytes[3 * group]) << 16 | Int(bytes[3 * group + 1]) << 8 | Int(bytes[3 * group + 2])
        text.append(digits[bits >> 18])
        text.append(digits[bits >> 12 & 63])
        text.append(digits[bits >> 6 & 63])
        text.append(digits[bits & 63])
      }
      guard rest > 0 else { return }
      let bits =
        Int(bytes[3 * groupCount]) << 16 | (rest == 2 ? Int(bytes[bytes.count - 1]) << 8 : 0)
      text.append(digits[bits >> 18])
      text.append(digits[bits >> 12 & 63])
      text.append(rest == 2 ? digits[bits >> 6 & 63] : UInt8(ascii: "="))
      text.append(UInt8(ascii: "="))
    }
  }

  private static let standardDigits = digits(then: "+/")
  private static let urlSafeDigits = digits(then: "-_")

  private static func digits(then last: String) -> [UInt8] {
    Array(
      ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
  }
}

extension Base64 {
  /// Returns the bytes of `text`, or `nil` for text that is not canonical base64 with padding.
  package static func decode(_ text: String, _ alphabet: Alphabet) -> [UInt8]? {
    decode(text.utf8.span, alphabet)
  }

  /// The bytes that a text in ASCII stands for, or `nil` if it is not canonical base64 with padding.
  package static func decode(_ digits: Span<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
    guard digits.count.isMultiple(of: 4) else { return nil }
    let values = alphabet == .standard ? standardValues : urlSafeValues
    var count = digits.count
    while count > 0, digits.count - count < 2, digits[count - 1] == UInt8(ascii: "=") { count -= 1 }
    var bits: UInt32 = 0
    var bitCount = 0
    var isValid = true
    let bytes = [UInt8](capacity: digits.count / 4 * 3) { bytes in
      for index in 0..<count {
        let value = values[Int(digits[index])]
        guard value < 64 else {
          isValid = false
          return
        }
        bits = bits << 6 | UInt32(value)
        bitCount += 6
        if bitCount >= 8 {
          bitCount -= 8
          bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
        }
      }
    }
    // Surplus bits must be zero, or two texts would mean the same bytes.
    guard isValid, bits & (1 << UInt32(bitCount) - 1) == 0 else { return nil }
    return bytes
  }

  private static let standardValues = values(of: standardDigits)
  private static let urlSafeValues = values(of: urlSafeDigits)

  /// The value of each byte as a digit; 64 for one that is none.
  private static func values(of digits: [UInt8]) -> [UInt8] {
    var values = [UInt8](repeating: 64, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }
}

extension JSONReader {
  /// Reads a base64 string and returns its bytes.
  ///
  /// - Throws: `malformed` if the next value is another.
  @_lifetime(self: copy self)
  package mutating func base64(_ alphabet: Base64.Alphabet) throws(CheckpointError) -> [UInt8] {
    let start = offset
    let bytes =
      if let text = try plainString() { Base64.decode(text, alphabet) } else {
        Base64.decode(try string(), alphabet)
      }
    guard let bytes else {
      throw CheckpointError(.malformed, "this is not base64", at: start)
    }
    return bytes
  }
}
