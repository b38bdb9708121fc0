internal import CkptGraph

/// The element types of safetensors, in the order in which the reference writer sorts tensors.
///
/// From `safetensors/src/tensor.rs`, whose enumeration the writer sorts in descending order; the
/// cases here are declared in the resulting order of the file, and a raw value is the place in it.
enum SafetensorsDType: UInt8, CaseIterable {
  case u64, i64, f64, c64
  case f32, u32, i32
  case bf16, f16, u16, i16
  case f8e5m2fnuz, f8e4m3fnuz, f8e8m0, f8e4m3, f8e5m2, i8, u8
  case f6e3m2, f6e2m3, f4
  case bool

  /// What headers call the types and which elements they hold, in the order of the cases.
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

  /// The type that headers call `name`, or `nil` if there is none.
  init?(name: String) {
    guard let index = Self.forms.firstIndex(where: { $0.name == name }) else { return nil }
    self.init(rawValue: UInt8(index))
  }

  /// The type that holds a dtype's elements as they are, or `nil` if there is none.
  init?(_ dtype: DType) {
    guard let index = Self.forms.firstIndex(where: { $0.dtype == dtype }) else { return nil }
    self.init(rawValue: UInt8(index))
  }

  /// What headers call it.
  var name: String { Self.forms[Int(rawValue)].name }

  /// The dtype whose elements the type holds.
  var torchDType: DType { Self.forms[Int(rawValue)].dtype }

  /// The size of one element in bits.
  var bitWidth: Int { self == .f4 ? 4 : torchDType.bitWidth }
}

/// How a header describes a tensor's elements.
struct EntryForm: Hashable {
  /// The type of the elements.
  let dtype: SafetensorsDType
  /// The shape.
  let shape: [Int]
  /// Whether the elements are bytes only because safetensors has no type, or no shape, for them.
  let isDisguise: Bool

  init(of tensor: Tensor) {
    var shape = tensor.shape
    if let dtype = SafetensorsDType(tensor.dtype), !Self.isUnrepresentable(tensor) {
      // The header counts values, PyTorch's packed dtype counts bytes of two.
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

  /// A packed pair has no shape that says so unless there is a dimension to double.
  private static func isUnrepresentable(_ tensor: Tensor) -> Bool {
    tensor.dtype == .float4_e2m1fn_x2
      && (tensor.shape.isEmpty || tensor.shape.contains { $0 > Int.max / 4 })
  }
}
