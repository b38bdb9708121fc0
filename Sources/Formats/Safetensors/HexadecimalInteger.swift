/// Ints as skeletons write them: `0x1f` and `-0x1f`.
enum HexadecimalInteger {
  /// The minimal little-endian two's complement of the int that `text` spells, or `nil` if it spells
  /// none.
  static func twosComplement(_ text: String) -> [UInt8]? {
    var digits = Array(text.utf8)[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits.removeFirst() }
    guard digits.starts(with: "0x".utf8), digits.count > 2 else { return nil }
    digits.removeFirst(2)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2 + 2)
    while let low = digits.popLast() {
      let high = digits.popLast() ?? UInt8(ascii: "0")
      guard let low = value(of: low), let high = value(of: high) else { return nil }
      bytes.append(high << 4 | low)
    }
    // Room for the sign, most of which goes again below.
    bytes.append(0)
    if isNegative { negate(&bytes) }
    while bytes.count > 1, bytes[bytes.count - 1] == (bytes[bytes.count - 2] & 0x80 == 0 ? 0 : 0xff)
    {
      bytes.removeLast()
    }
    return bytes
  }

  private static func negate(_ bytes: inout [UInt8]) {
    var carry = true
    for index in bytes.indices {
      let (sum, overflow) = (~bytes[index]).addingReportingOverflow(carry ? 1 : 0)
      bytes[index] = sum
      carry = overflow
    }
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
