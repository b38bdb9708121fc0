internal import Graph

/// The classes that pickles name storages by (`torch/storage.py`, `torch/__init__.py`).
enum StorageClass {
  /// The dtype of a typed storage's class, `nil` inside for an untyped one, or `nil` for a class
  /// that is not a storage's.
  ///
  /// The module is not looked at: `torch`, `torch.cuda` and private backends use the same names,
  /// and torch itself goes by the name alone.
  static func dtype(named name: String) -> DType?? {
    guard name.hasSuffix("Storage") else { return nil }
    if name == "UntypedStorage" { return .some(nil) }
    return dtypes[String(name.dropLast("Storage".count))].map { .some($0) }
  }

  /// The dtype of a tensor class of PyTorch 0.1 to 0.3, such as `FloatTensor`.
  static func dtype(ofTensorClass name: String) -> DType? {
    name.hasSuffix("Tensor") ? dtypes[String(name.dropLast("Tensor".count))] : nil
  }

  /// The class that PyTorch saves storages of a dtype under, or `nil` if there is none.
  static func name(of dtype: DType) -> String? { names[dtype] }

  private static let names = Dictionary(
    uniqueKeysWithValues: dtypes.map { ($0.value, "\($0.key)Storage") })

  /// Whether PyTorch saves tensors of a dtype over storages without a type
  /// (`torch/storage.py`, `_new_dtypes`).
  static func hasUntypedTensors(of dtype: DType) -> Bool { untyped.contains(dtype) }

  private static let untyped: Set<DType> = [
    .uint16, .uint32, .uint64, .complex32, .bcomplex32, .float8_e4m3fn, .float8_e5m2,
    .float8_e4m3fnuz, .float8_e5m2fnuz, .float8_e8m0fnu, .float4_e2m1fn_x2, .bits8, .bits1x8,
    .bits2x4, .bits4x2, .bits16,
  ]

  private static let dtypes: [String: DType] = [
    "Double": .float64, "Float": .float32, "Half": .float16, "BFloat16": .bfloat16,
    "Long": .int64, "Int": .int32, "Short": .int16, "Char": .int8, "Byte": .uint8, "Bool": .bool,
    "ComplexDouble": .complex128, "ComplexFloat": .complex64, "QInt8": .qint8, "QUInt8": .quint8,
    "QInt32": .qint32, "QUInt4x2": .quint4x2, "QUInt2x4": .quint2x4,
  ]
}
