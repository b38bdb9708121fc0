internal import Graph

/// The element types of safetensors, in the order in which the reference writer sorts tensors.
///
/// From `safetensors/src/tensor.rs`, whose enumeration the writer sorts in descending order; the
/// cases here are declared in the resulting order of the file.
enum SafetensorsDType: String, CaseIterable {
  case u64 = "U64"
  case i64 = "I64"
  case f64 = "F64"
  case c64 = "C64"
  case f32 = "F32"
  case u32 = "U32"
  case i32 = "I32"
  case bf16 = "BF16"
  case f16 = "F16"
  case u16 = "U16"
  case i16 = "I16"
  case f8e5m2fnuz = "F8_E5M2FNUZ"
  case f8e4m3fnuz = "F8_E4M3FNUZ"
  case f8e8m0 = "F8_E8M0"
  case f8e4m3 = "F8_E4M3"
  case f8e5m2 = "F8_E5M2"
  case i8 = "I8"
  case u8 = "U8"
  case f6e3m2 = "F6_E3M2"
  case f6e2m3 = "F6_E2M3"
  case f4 = "F4"
  case bool = "BOOL"

  /// The type that holds a dtype's elements as they are, or `nil` if there is none.
  init?(_ dtype: DType) {
    guard let type = Self.types[dtype] else { return nil }
    self = type
  }

  private static let types: [DType: SafetensorsDType] = [
    .bool: .bool, .uint8: .u8, .int8: .i8, .uint16: .u16, .int16: .i16, .uint32: .u32,
    .int32: .i32, .uint64: .u64, .int64: .i64, .float16: .f16, .bfloat16: .bf16, .float32: .f32,
    .float64: .f64, .complex64: .c64, .float8_e5m2: .f8e5m2, .float8_e4m3fn: .f8e4m3,
    .float8_e5m2fnuz: .f8e5m2fnuz, .float8_e4m3fnuz: .f8e4m3fnuz, .float8_e8m0fnu: .f8e8m0,
    .float4_e2m1fn_x2: .f4, .float6_e2m3fn: .f6e2m3, .float6_e3m2fn: .f6e3m2,
  ]

  /// The dtype whose elements the type holds.
  var torchDType: DType { Self.torchTypes[self, default: .uint8] }

  /// The size of one element in bits.
  var bitWidth: Int { self == .f4 ? 4 : torchDType.bitWidth }

  private static let torchTypes = Dictionary(
    uniqueKeysWithValues: types.map { ($0.value, $0.key) })

  /// The place in the order of the file.
  var rank: Int { Self.ranks[self, default: 0] }

  private static let ranks = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($0.element, $0.offset) })
}
