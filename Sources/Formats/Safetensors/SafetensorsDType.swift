internal import CkptGraph

/// The dtypes of safetensors, in the order in which the reference writer sorts tensors.
///
/// They come from `safetensors/src/tensor.rs`. The writer sorts its enumeration in descending
/// order; the cases here are in the resulting order, and a raw value is the position in it.
enum SafetensorsDType: UInt8, CaseIterable {
  case u64, i64, f64, c64
  case f32, u32, i32
  case bf16, f16, u16, i16
  case f8e5m2fnuz, f8e4m3fnuz, f8e8m0, f8e4m3, f8e5m2, i8, u8
  case f6e3m2, f6e2m3, f4
  case bool

  /// The names of the types in headers and their dtypes, in the order of the cases.
  private static let forms: [(name: String, dtype: DType)] = [
    ("U64", .uint64), ("I64", .int64), ("F64", .float64), ("C64", .complex64),
    ("F32", .float32), ("U32", .uint32), ("I32", .int32),
    ("BF16", .bfloat16), ("F16", .float16), ("U16", .uint16), ("I16", .int16),
    ("F8_E5M2FNUZ", .float8_e5m2fnuz), ("F8_E4M3FNUZ", .float8_e4m3fnuz),
    ("F8_E8M0", .float8_e8m0fnu), ("F8_E4M3", .float8_e4m3fn), ("F8_E5M2", .float8_e5m2),
    ("I8", .int8), ("U8", .uint8),
    ("F6_E3M2", .float6_e3m2fn), ("F6_E2M3", .float6_e2m3fn), ("F4", .float4_e2m1fn_x2),
    ("BOOL", .bool),
  ]

  /// Returns the type with a name, or `nil` for an unknown name.
  init?(name: String) {
    guard let index = Self.forms.firstIndex(where: { $0.name == name }) else { return nil }
    self.init(rawValue: UInt8(index))
  }

  /// Returns the type for the elements of a dtype, or `nil` if there is none.
  init?(_ dtype: DType) {
    guard let index = Self.forms.firstIndex(where: { $0.dtype == dtype }) else { return nil }
    self.init(rawValue: UInt8(index))
  }

  /// The name in headers.
  var name: String { Self.forms[Int(rawValue)].name }

  /// The dtype of the elements.
  var torchDType: DType { Self.forms[Int(rawValue)].dtype }

  /// The size of one element in bits.
  var bitWidth: Int { self == .f4 ? 4 : torchDType.bitWidth }
}

/// The description of a tensor's elements in a header.
struct EntryForm: Hashable {
  /// The dtype of the elements.
  let dtype: SafetensorsDType
  /// The shape.
  let shape: [Int]
  /// Whether the elements are raw bytes, because safetensors has no type or shape for them.
  let isDisguise: Bool

  init(of tensor: Tensor) {
    var shape = tensor.shape
    if let dtype = SafetensorsDType(tensor.dtype), !Self.isUnrepresentable(tensor) {
      // The header counts values, PyTorch's packed dtype counts bytes of two values.
      if dtype == .f4, let last = shape.popLast() { shape.append(2 * last) }
      self.dtype = dtype
      isDisguise = false
    } else {
      if tensor.dtype.byteCount > 1 { shape.append(tensor.dtype.byteCount) }
      dtype = .u8
      isDisguise = true
    }
    self.shape = shape
  }

  /// Whether safetensors cannot describe a packed pair: there is no dimension to double.
  private static func isUnrepresentable(_ tensor: Tensor) -> Bool {
    tensor.dtype == .float4_e2m1fn_x2
      && (tensor.shape.isEmpty || tensor.shape.contains { $0 > Int.max / 4 })
  }
}
