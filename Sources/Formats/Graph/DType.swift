/// The type of a tensor's elements.
///
/// The cases are PyTorch's dtypes that `torch.save` can write (`c10/core/ScalarType.h`) and the two
/// of safetensors that PyTorch lacks (`safetensors/src/tensor.rs`).
public enum DType: String, Hashable, Sendable, CaseIterable {
  case bool
  case uint8, int8, uint16, int16, uint32, int32, uint64, int64
  case float16, bfloat16, float32, float64
  case complex32, complex64, complex128, bcomplex32
  case float8_e5m2, float8_e4m3fn, float8_e5m2fnuz, float8_e4m3fnuz, float8_e8m0fnu
  case float4_e2m1fn_x2
  case float6_e2m3fn, float6_e3m2fn
  case qint8, quint8, qint32, quint4x2, quint2x4
  case bits1x8, bits2x4, bits4x2, bits8, bits16

  /// The name PyTorch gives it after `torch.`; safetensors' 6-bit floats are named alike.
  public var name: String { rawValue }

  /// The size of one element in bits.
  ///
  /// PyTorch's packed types count one byte as one element.
  public var bitWidth: Int {
    switch self {
    case .bool, .uint8, .int8, .float8_e5m2, .float8_e4m3fn, .float8_e5m2fnuz, .float8_e4m3fnuz,
      .float8_e8m0fnu, .float4_e2m1fn_x2, .qint8, .quint8, .quint4x2, .quint2x4, .bits1x8, .bits2x4,
      .bits4x2, .bits8:
      8
    case .float6_e2m3fn, .float6_e3m2fn: 6
    case .uint16, .int16, .float16, .bfloat16, .bits16: 16
    case .uint32, .int32, .float32, .complex32, .bcomplex32, .qint32: 32
    case .uint64, .int64, .float64, .complex64: 64
    case .complex128: 128
    }
  }

  /// The size of one element in bytes; every dtype that `torch.save` writes has whole bytes.
  public var byteCount: Int { (bitWidth + 7) / 8 }

  /// Whether an element is a pair of real and imaginary part.
  public var isComplex: Bool {
    switch self {
    case .complex32, .complex64, .complex128, .bcomplex32: true
    default: false
    }
  }

  /// The size in bytes of the number that byte order applies to: half of a complex element.
  public var componentByteCount: Int { isComplex ? byteCount / 2 : byteCount }
}
