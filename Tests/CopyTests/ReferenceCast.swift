import CkptGraph

/// A binary floating-point format, and its numbers rounded by the arithmetic of real ones.
struct ReferenceFormat {
  let byteCount: Int
  let exponentBits: Int
  let fractionBits: Int

  /// The format of a dtype that can be cast.
  init?(_ dtype: DType) {
    switch dtype {
    case .float64: (byteCount, exponentBits, fractionBits) = (8, 11, 52)
    case .float32: (byteCount, exponentBits, fractionBits) = (4, 8, 23)
    case .float16: (byteCount, exponentBits, fractionBits) = (2, 5, 10)
    case .bfloat16: (byteCount, exponentBits, fractionBits) = (2, 8, 7)
    default: return nil
    }
  }

  private var bias: Int { 1 << (exponentBits - 1) - 1 }
  private var largestExponent: UInt64 { 1 << UInt64(exponentBits) - 1 }

  /// The number that little-endian bytes stand for; `nil` for NaN.
  func value(of bytes: ArraySlice<UInt8>) -> Double? {
    let bits = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    let fraction = bits & (1 << UInt64(fractionBits) - 1)
    let exponent = bits >> UInt64(fractionBits) & largestExponent
    let sign = bits >> UInt64(8 * byteCount - 1) == 1 ? -1.0 : 1.0
    if exponent == largestExponent { return fraction == 0 ? sign * .infinity : nil }
    let significand = exponent == 0 ? fraction : fraction | 1 << UInt64(fractionBits)
    return sign * Double(significand)
      * Double(sign: .plus, exponent: max(Int(exponent), 1) - bias - fractionBits, significand: 1)
  }

  /// The bytes of the nearest number, the even one of two.
  func bytes(nearest value: Double) -> [UInt8] {
    let least = 1 - bias
    let exponent = max(value.isZero || value.isInfinite ? least : Int(value.exponent), least)
    var bits: UInt64
    if value.isInfinite {
      bits = largestExponent << UInt64(fractionBits)
    } else {
      // In units of the last place; carries run into the exponent, and beyond it into infinity.
      let unit = Double(sign: .plus, exponent: exponent - fractionBits, significand: 1)
      let scaled = value.magnitude / unit
      let units = UInt64(scaled.rounded(.toNearestOrEven))
      bits = units + UInt64(exponent - least) << UInt64(fractionBits)
      bits = min(bits, largestExponent << UInt64(fractionBits))
    }
    if value.sign == .minus { bits |= 1 << UInt64(8 * byteCount - 1) }
    return (0..<byteCount).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
  }
}

/// Casts in the arithmetic of real numbers.
enum ReferenceCast {
  /// The elements cast to a type; `nil` for a NaN.
  static func cast(_ bytes: [UInt8], _ cast: ElementCast) -> [[UInt8]?] {
    guard let source = ReferenceFormat(cast.source), let target = ReferenceFormat(cast.target),
      let single = ReferenceFormat(.float32)
    else { return [] }
    return stride(from: 0, to: bytes.count, by: source.byteCount).map { start in
      guard var value = source.value(of: bytes[start..<start + source.byteCount]) else {
        return nil
      }
      // PyTorch takes this way round, and so rounds twice.
      if cast.source == .float64, cast.target != .float32 {
        value = single.value(of: single.bytes(nearest: value)[...]) ?? .nan
      }
      return target.bytes(nearest: value)
    }
  }
}
