internal import CkptBase
internal import CkptGraph

/// Widening of elements of all dtypes to floating-point numbers of Swift.
enum WideningKernels {
  /// Converts the elements of `input` to a floating-point type of Swift, rounded to nearest if it
  /// is less precise.
  static func widen<Number: BinaryFloatingPoint & BitwiseCopyable>(
    _ input: RawSpan, _ dtype: DType, into output: inout MutableRawSpan,
    as type: Number.Type = Double.self
  ) {
    switch dtype {
    case .float64, .complex128:
      map(input, &output) { (bits: UInt64) in Number(Double(bitPattern: bits)) }
    case .float32, .complex64:
      map(input, &output) { (bits: UInt32) in Number(Float(bitPattern: bits)) }
    case .bfloat16, .bcomplex32:
      map(input, &output) { (bits: UInt16) in Number(Float(bitPattern: UInt32(bits) << 16)) }
    case .float16, .complex32:
      map(input, &output) { (bits: UInt16) in
        Number(Float(bitPattern: CastKernels.single(half: bits)))
      }
    case .int8, .qint8: map(input, &output) { (value: Int8) in Number(value) }
    case .int16: map(input, &output) { (value: Int16) in Number(value) }
    case .uint16: map(input, &output) { (value: UInt16) in Number(value) }
    case .int32, .qint32: map(input, &output) { (value: Int32) in Number(value) }
    case .uint32: map(input, &output) { (value: UInt32) in Number(value) }
    case .int64: map(input, &output) { (value: Int64) in Number(value) }
    case .uint64: map(input, &output) { (value: UInt64) in Number(value) }
    case .float8_e5m2: lookUp(input, &output, Float8Values.e5m2, type)
    case .float8_e4m3fn: lookUp(input, &output, Float8Values.e4m3fn, type)
    case .float8_e5m2fnuz: lookUp(input, &output, Float8Values.e5m2fnuz, type)
    case .float8_e4m3fnuz: lookUp(input, &output, Float8Values.e4m3fnuz, type)
    case .float8_e8m0fnu: lookUp(input, &output, Float8Values.e8m0fnu, type)
    default: map(input, &output) { (value: UInt8) in Number(value) }
    }
  }

  /// Writes the elements of `input` to `output` as pairs; a real element has a zero imaginary part.
  static func widenPairs(_ input: RawSpan, _ dtype: DType, into output: inout MutableRawSpan) {
    widen(input, dtype, into: &output)
    guard !dtype.isComplex else { return }
    // The loop starts at the end, so no real part is overwritten before it was moved.
    for index in (0..<output.byteCount / 16).reversed() {
      // Safe: the index is below the number of pairs, and so are twice as many doubles.
      let real = unsafe output.bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: 8 * index, as: Double.self)
      unsafe output.storeBytes(of: real, toUncheckedByteOffset: 16 * index, as: Double.self)
      unsafe output.storeBytes(of: 0, toUncheckedByteOffset: 16 * index + 8, as: Double.self)
    }
  }

  @inline(__always)
  private static func map<Source: BitwiseCopyable, Number: BitwiseCopyable>(
    _ input: RawSpan, _ output: inout MutableRawSpan, _ body: (Source) -> Number
  ) {
    let (width, numberWidth) = (MemoryLayout<Source>.size, MemoryLayout<Number>.size)
    let count = input.byteCount / width
    precondition(numberWidth * count <= output.byteCount)
    for index in 0..<count {
      // Safe: the precondition ensures space for `count` numbers, and all bit patterns are valid
      // integers.
      let element = unsafe input.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index * width, as: Source.self)
      unsafe output.storeBytes(
        of: body(element), toUncheckedByteOffset: index * numberWidth, as: Number.self)
    }
  }

  private static func lookUp<Number: BinaryFloatingPoint & BitwiseCopyable>(
    _ input: RawSpan, _ output: inout MutableRawSpan, _ table: [Double], _ type: Number.Type
  ) {
    let values = table.span
    map(input, &output) { (bits: UInt8) in Number(values[Int(bits)]) }
  }
}

/// The values of 8-bit floats, by their bits (PyTorch `c10/util/Float8_*.h`).
enum Float8Values {
  static let e5m2 = table(exponentBits: 5, bias: 15, hasInfinity: true)
  static let e4m3fn = table(exponentBits: 4, bias: 7) { $0 & 0x7f == 0x7f }
  static let e5m2fnuz = table(exponentBits: 5, bias: 16) { $0 == 0x80 }
  static let e4m3fnuz = table(exponentBits: 4, bias: 8) { $0 == 0x80 }
  /// Unsigned powers of two.
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
