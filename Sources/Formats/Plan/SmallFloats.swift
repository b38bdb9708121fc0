internal import Graph

/// The values of 8-bit floats, by their bits (PyTorch `c10/util/Float8_*.h`).
enum SmallFloats {
  static let e5m2 = table(exponentBits: 5, bias: 15, hasInfinity: true)
  static let e4m3fn = table(exponentBits: 4, bias: 7) { $0 & 0x7f == 0x7f }
  static let e5m2fnuz = table(exponentBits: 5, bias: 16) { $0 == 0x80 }
  static let e4m3fnuz = table(exponentBits: 4, bias: 8) { $0 == 0x80 }
  /// Powers of two without sign.
  static let e8m0fnu = (0..<256).map { bits in
    bits == 255 ? Double.nan : Double(sign: .plus, exponent: bits - 127, significand: 1)
  }

  private static func table(
    exponentBits: Int, bias: Int, hasInfinity: Bool = false, isNaN: (Int) -> Bool = { _ in false }
  ) -> [Double] {
    let fractionBits = 7 - exponentBits
    return (0..<256).map { bits in
      let fraction = bits & (1 << fractionBits - 1)
      let exponent = bits >> fractionBits & (1 << exponentBits - 1)
      let sign: FloatingPointSign = bits & 0x80 != 0 ? .minus : .plus
      if isNaN(bits) { return .nan }
      if hasInfinity, exponent == 1 << exponentBits - 1 {
        return fraction == 0
          ? Double(signOf: sign == .minus ? -1 : 1, magnitudeOf: .infinity) : .nan
      }
      let significand = Double(exponent == 0 ? fraction : fraction + 1 << fractionBits)
      return Double(
        sign: sign, exponent: max(exponent, 1) - bias - fractionBits, significand: significand)
    }
  }
}
