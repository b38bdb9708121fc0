internal import CkptBase
internal import CkptGraph

/// The inner loops that cast floating-point elements in memory.
///
/// Results are bit-identical to PyTorch on a processor with AVX2 (`c10/util/Half.h`, `BFloat16.h`,
/// `aten/src/ATen/cpu/vec`): round to nearest even, overflow to infinity, subnormals kept. A cast
/// from `float64` to 16 bits goes through `float32` and rounds twice. NaN remains NaN:
/// - of `float16` and `float32` it has the highest bits of the source, and is quiet;
/// - of `bfloat16` it is 0xffff, or 0x7fc0 for a source of `float16`.
///
/// PyTorch's own loops treat the NaNs of the last few elements of a tensor differently in two casts
/// (`float64` to `bfloat16`, `float16` to `float32`). Here all elements are treated like the
/// others.
enum CastKernels {
  /// Casts all elements of `input` into `output`, which has exactly the room for them.
  static func cast(_ input: RawSpan, into output: inout MutableRawSpan, _ cast: ElementCast) {
    switch (cast.source, cast.target) {
    case (.float64, .float32):
      map(input, &output) { (bits: UInt64) in single(double: bits) }
    case (.float64, .float16):
      map(input, &output) { (bits: UInt64) in half(single: single(double: bits)) }
    case (.float64, .bfloat16):
      map(input, &output) { (bits: UInt64) in brain(single: single(double: bits), nan: 0xffff) }
    case (.float32, .float16):
      map(input, &output) { (bits: UInt32) in half(single: bits) }
    case (.float32, .bfloat16):
      map(input, &output) { (bits: UInt32) in brain(single: bits, nan: 0xffff) }
    case (.float16, .float32):
      map(input, &output) { (bits: UInt16) in single(half: bits) }
    case (.float16, .bfloat16):
      map(input, &output) { (bits: UInt16) in brain(single: single(half: bits), nan: 0x7fc0) }
    case (.bfloat16, .float32):
      map(input, &output) { (bits: UInt16) in single(brain: bits) }
    case (.bfloat16, .float16):
      map(input, &output) { (bits: UInt16) in half(single: single(brain: bits)) }
    default: preconditionFailure("no such cast: \(cast)")
    }
  }

  @inline(__always)
  private static func map<Source: BitwiseCopyable, Target: BitwiseCopyable>(
    _ input: RawSpan, _ output: inout MutableRawSpan, _ body: (Source) -> Target
  ) {
    let (width, targetWidth) = (MemoryLayout<Source>.size, MemoryLayout<Target>.size)
    let count = input.byteCount / width
    precondition(count * width == input.byteCount && count * targetWidth == output.byteCount)
    for index in 0..<count {
      // Safe: the precondition says that both spans have `count` elements; any bits are an integer.
      let element = unsafe input.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index * width, as: Source.self)
      unsafe output.storeBytes(
        of: body(element), toUncheckedByteOffset: index * targetWidth, as: Target.self)
    }
  }

  // MARK: One element, as bits

  /// Casts `float64` to `float32` like the processor.
  @inline(__always)
  private static func single(double bits: UInt64) -> UInt32 {
    Float(Double(bitPattern: bits)).bitPattern
  }

  /// Casts `bfloat16` to `float32`, which begins with the same bits.
  @inline(__always)
  private static func single(brain bits: UInt16) -> UInt32 { UInt32(bits) << 16 }

  /// Casts `float32` to `bfloat16`.
  @inline(__always)
  private static func brain(single bits: UInt32, nan: UInt16) -> UInt16 {
    // This adds just below half of the last place, or half for odd numbers: ties go to even.
    let rounded = (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16
    let magnitude = bits & 0x7fff_ffff
    return UInt16(
      truncatingIfNeeded: select(UInt32(nan), rounded, if: magnitude, exceeds: 0x7f80_0000))
  }

  /// Casts `float16` to `float32`.
  @inline(__always)
  static func single(half bits: UInt16) -> UInt32 {
    let magnitude = UInt32(bits & 0x7fff) << 13
    let sign = UInt32(bits & 0x8000) << 16
    // The exponent's bias is 15 in `float16` and 127 in `float32`.
    let normal = magnitude &+ (112 << 23)
    // A subnormal, which lacks the hidden bit, is the excess over the smallest normal number.
    let smallest: UInt32 = 113 << 23
    let subnormal =
      (Float(bitPattern: magnitude &+ smallest) - Float(bitPattern: smallest)).bitPattern
    let special = magnitude &+ (224 << 23) | exceeds(magnitude, 0x7c00 << 13) & 0x0040_0000
    let finite = select(normal, subnormal, if: magnitude, exceeds: 0x03ff << 13)
    return sign | select(special, finite, if: magnitude, exceeds: 0x7bff << 13)
  }

  /// Casts `float32` to `float16`.
  @inline(__always)
  private static func half(single bits: UInt32) -> UInt16 {
    let magnitude = bits & 0x7fff_ffff
    let sign = bits >> 16 & 0x8000
    // This works like bfloat16, with the exponent's bias changed from 127 to 15.
    let normal = (magnitude &+ 0xfff &+ (magnitude >> 13 & 1) &- (112 << 23)) >> 13
    // Adding a half, whose last place is that of the smallest subnormal, rounds to that place.
    let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
    let nan = magnitude >> 13 & 0x03ff | 0x7e00
    let special = select(nan, 0x7c00, if: magnitude, exceeds: 0x7f80_0000)
    let finite = select(normal, subnormal, if: magnitude, exceeds: 113 << 23 - 1)
    // Larger numbers round to infinity.
    return UInt16(
      truncatingIfNeeded: sign | select(special, finite, if: magnitude, exceeds: 143 << 23 - 1))
  }

  /// Returns all bits set if `value` exceeds `limit`; both lack the sign bit.
  ///
  /// With comparisons the compiler makes branches of some loops and vectors only of others.
  @inline(__always)
  private static func exceeds(_ value: UInt32, _ limit: UInt32) -> UInt32 {
    UInt32(bitPattern: Int32(bitPattern: limit &- value) >> 31)
  }

  /// Returns `first` if `value` exceeds `limit`, otherwise `second`.
  @inline(__always)
  private static func select(
    _ first: UInt32, _ second: UInt32, if value: UInt32, exceeds limit: UInt32
  ) -> UInt32 {
    let mask = exceeds(value, limit)
    return first & mask | second & ~mask
  }
}
