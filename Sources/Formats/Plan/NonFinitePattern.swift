internal import Graph

/// By which bits the elements of a type show that they are no finite numbers.
///
/// An element is not finite when all bits of ``mask`` are those of ``pattern``; it is infinite, and
/// not NaN, when that holds for ``infinityMask`` as well.
struct NonFinitePattern {
  /// The size of one number in bytes: 1, 2, 4 or 8.
  let width: Int
  let mask: UInt64
  let pattern: UInt64
  /// `nil` for types without infinities.
  let infinityMask: UInt64?

  /// The pattern of a type, `nil` for one whose elements are always finite or are packed.
  ///
  /// The 8-bit types are those of the OCP specification "8-bit Floating Point" and of
  /// `c10/util/Float8_*.h`: `e4m3fn` has NaN but no infinities, the `fnuz` types have one NaN where
  /// negative zero would be.
  init?(_ dtype: DType) {
    switch dtype {
    case .float64, .complex128: self.init(width: 8, exponent: 0x7ff0_0000_0000_0000)
    case .float32, .complex64: self.init(width: 4, exponent: 0x7f80_0000)
    case .bfloat16, .bcomplex32: self.init(width: 2, exponent: 0x7f80)
    case .float16, .complex32: self.init(width: 2, exponent: 0x7c00)
    case .float8_e5m2: self.init(width: 1, exponent: 0x7c)
    case .float8_e4m3fn: self.init(width: 1, nan: 0x7f, mask: 0x7f)
    case .float8_e5m2fnuz, .float8_e4m3fnuz: self.init(width: 1, nan: 0x80, mask: 0xff)
    case .float8_e8m0fnu: self.init(width: 1, nan: 0xff, mask: 0xff)
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64,
      .float4_e2m1fn_x2, .float6_e2m3fn, .float6_e3m2fn, .qint8, .quint8, .qint32, .quint4x2,
      .quint2x4, .bits1x8, .bits2x4, .bits4x2, .bits8, .bits16:
      return nil
    }
  }

  /// A type of IEEE 754, or one like those: an exponent of ones, and in infinities nothing but that
  /// and the sign.
  private init(width: Int, exponent: UInt64) {
    self.width = width
    mask = exponent
    pattern = exponent
    infinityMask = 1 << (UInt64(width) * 8 - 1) - 1
  }

  private init(width: Int, nan: UInt64, mask: UInt64) {
    self.width = width
    self.mask = mask
    pattern = nan
    infinityMask = nil
  }
}
