internal import Graph

/// How the elements of a type are taken as numbers.
enum ElementNumbers {
  /// Integers of up to 32 bits and floats: a double holds each of them.
  case doubles
  /// Integers of 64 bits.
  case integers
  /// Pairs of doubles.
  case pairs
  /// Bits that are not a number by themselves.
  case bits

  init(_ dtype: DType) {
    switch dtype {
    case .uint64, .int64: self = .integers
    case .complex32, .complex64, .complex128, .bcomplex32: self = .pairs
    case .float4_e2m1fn_x2, .float6_e2m3fn, .float6_e3m2fn, .quint4x2, .quint2x4, .bits1x8,
      .bits2x4, .bits4x2, .bits8, .bits16:
      self = .bits
    default: self = .doubles
    }
  }

  /// Whether the type is one of integers, bool included.
  static func isInteger(_ dtype: DType) -> Bool {
    switch dtype {
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .qint8, .quint8,
      .qint32:
      true
    default: false
    }
  }

  /// How elements of two types are compared.
  static func common(_ first: DType, _ second: DType) -> ElementNumbers {
    switch (ElementNumbers(first), ElementNumbers(second)) {
    case (.bits, _), (_, .bits): .bits
    case (.pairs, _), (_, .pairs): .pairs
    case (.integers, _), (_, .integers):
      isInteger(first) && isInteger(second) ? .integers : .doubles
    case (.doubles, .doubles): .doubles
    }
  }

  /// Whether elements of two types can be compared as numbers, or as bits of one type.
  static func areComparable(_ first: DType, _ second: DType) -> Bool {
    if first == second { return first.bitWidth.isMultiple(of: 8) }
    if case .bits = common(first, second) { return false }
    return true
  }
}
