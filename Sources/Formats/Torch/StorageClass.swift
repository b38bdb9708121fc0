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

  private static let dtypes: [String: DType] = [
    "Double": .float64, "Float": .float32, "Half": .float16, "BFloat16": .bfloat16,
    "Long": .int64, "Int": .int32, "Short": .int16, "Char": .int8, "Byte": .uint8, "Bool": .bool,
    "ComplexDouble": .complex128, "ComplexFloat": .complex64, "QInt8": .qint8, "QUInt8": .quint8,
    "QInt32": .qint32, "QUInt4x2": .quint4x2, "QUInt2x4": .quint2x4,
  ]
}
