public import CkptGraph

/// A number type of Swift that tensors are read and written as, bit for bit.
///
/// The package declares all conformances; types of other packages cannot be elements. `Int` and
/// `UInt` have the dtypes of 64 bits.
public protocol TensorElement: BitwiseCopyable, Numeric, Sendable {
  /// The dtype of a tensor with such elements.
  static var dtype: DType { get }
}

extension Float: TensorElement {
  /// ``DType/float32``.
  public static var dtype: DType { .float32 }
}

extension Double: TensorElement {
  /// ``DType/float64``.
  public static var dtype: DType { .float64 }
}

// macOS on Intel processors has no `Float16`.
#if !(os(macOS) && arch(x86_64))
  extension Float16: TensorElement {
    /// ``DType/float16``.
    public static var dtype: DType { .float16 }
  }
#endif

extension Int8: TensorElement {
  /// ``DType/int8``.
  public static var dtype: DType { .int8 }
}

extension Int16: TensorElement {
  /// ``DType/int16``.
  public static var dtype: DType { .int16 }
}

extension Int32: TensorElement {
  /// ``DType/int32``.
  public static var dtype: DType { .int32 }
}

extension Int64: TensorElement {
  /// ``DType/int64``.
  public static var dtype: DType { .int64 }
}

extension Int: TensorElement {
  /// ``DType/int64``.
  public static var dtype: DType { .int64 }
}

extension UInt8: TensorElement {
  /// ``DType/uint8``.
  public static var dtype: DType { .uint8 }
}

extension UInt16: TensorElement {
  /// ``DType/uint16``.
  public static var dtype: DType { .uint16 }
}

extension UInt32: TensorElement {
  /// ``DType/uint32``.
  public static var dtype: DType { .uint32 }
}

extension UInt64: TensorElement {
  /// ``DType/uint64``.
  public static var dtype: DType { .uint64 }
}

extension UInt: TensorElement {
  /// ``DType/uint64``.
  public static var dtype: DType { .uint64 }
}
