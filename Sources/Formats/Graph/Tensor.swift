package import CkptBase

/// A tensor of a checkpoint: a view of a storage, or of nothing on the meta device.
package struct Tensor: Sendable {
  /// The form of a tensor in a pickle.
  package enum Origin: Sendable {
    /// None: the file has no pickle.
    case plain
    /// The calls that rebuild it.
    case call(ObjectID)
    /// A bare storage, by its persistent id.
    case storage(id: NodeID)
  }

  /// The node of the tensor in the graph.
  package var node: NodeID
  /// The dtype of the elements.
  package var dtype: DType
  /// The number of elements along each dimension; empty for a scalar.
  package var shape: [Int]
  /// The distance between adjacent elements along each dimension, in elements.
  package var strides: [Int]
  /// The offset of the first element in the storage, in elements.
  package var offset: Int
  /// The storage, or `nil` for a tensor without data.
  package var storage: StorageID?
  /// Whether autograd records operations on it.
  package var requiresGradient: Bool
  /// Whether the imaginary parts are stored with the opposite sign.
  package var isConjugated: Bool
  /// Whether all values are stored with the opposite sign.
  package var isNegated: Bool
  /// The form of the tensor in a pickle.
  package var origin: Origin
  /// The region where a file has the elements packed in row-major order, little-endian and with
  /// lazy signs applied; `nil` if they must be read from the storage.
  package var packed: FileRegion?
  /// The shape in PyTorch, where a byte has several elements and ``shape`` counts bytes; `nil`
  /// otherwise.
  package var elementShape: [Int]?
  /// The shape of the tensor that this one is a shard of; `nil` for a whole tensor.
  package var wholeShape: [Int]?

  package init(
    node: NodeID, dtype: DType, shape: [Int], strides: [Int], offset: Int, storage: StorageID?,
    requiresGradient: Bool = false, isConjugated: Bool = false, isNegated: Bool = false,
    origin: Origin = .plain
  ) {
    self.node = node
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.storage = storage
    self.requiresGradient = requiresGradient
    self.isConjugated = isConjugated
    self.isNegated = isNegated
    self.origin = origin
  }

  /// The number of elements.
  ///
  /// Readers have checked that it does not overflow.
  package var elementCount: Int { shape.reduce(1, *) }

  /// The size of the packed elements in bytes.
  package var byteCount: Int { elementCount * dtype.byteCount }

  /// Returns the strides of packed elements in row-major order; a dimension of zero elements counts
  /// as one.
  package static func packedStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for index in shape.indices.dropLast().reversed() {
      // A tensor without elements can have sizes with any product.
      let (stride, overflow) = strides[index + 1].multipliedReportingOverflow(
        by: max(shape[index + 1], 1))
      strides[index] = overflow ? .max : stride
    }
    return strides
  }

  /// Checks that the size of a tensor does not overflow.
  ///
  /// A zero makes a tensor empty, but torch still refuses sizes whose product overflows.
  /// - Throws: `malformed` if the size in bytes, without empty dimensions, overflows.
  package static func requireSize(_ shape: [Int], of dtype: DType) throws(CheckpointError) {
    var elementCount = 1
    for size in shape where size != 0 {
      elementCount = try elementCount.multiplied(by: size, orThrow: "a tensor's element count")
    }
    _ = try elementCount.multiplied(by: dtype.byteCount, orThrow: "a tensor's size in bytes")
  }

  /// Whether the elements are packed in row-major order.
  package var isContiguous: Bool {
    guard !shape.contains(0) else { return true }
    var expected = 1
    for index in shape.indices.reversed() where shape[index] != 1 {
      guard strides[index] == expected else { return false }
      expected *= shape[index]
    }
    return true
  }
}

/// Stores equal shapes and strides once: a checkpoint has many tensors and few shapes.
package struct DimensionInterner {
  /// The maximum number of arrays to keep; others are stored again.
  private static let limit = 32

  private var known: [[Int]] = []
  private var next = 0

  /// Creates an empty interner.
  package init() {}

  /// Returns the stored array that equals `dimensions`.
  package mutating func interned(_ dimensions: [Int]) -> [Int] {
    for other in known where other == dimensions { return other }
    // This makes a copy, because `dimensions` can have capacity for many more.
    let copy = Array(dimensions[...])
    if known.count < Self.limit {
      known.append(copy)
    } else {
      known[next] = copy
      next = (next + 1) % Self.limit
    }
    return copy
  }
}

/// The dtype of a tensor's elements.
///
/// The cases are the PyTorch dtypes that `torch.save` can write (`c10/core/ScalarType.h`), and the
/// two of safetensors that PyTorch lacks (`safetensors/src/tensor.rs`).
@nonexhaustive
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

  /// The name after `torch.` in PyTorch; the 6-bit floats of safetensors have similar names.
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

  /// The size of one element in bytes; every dtype of `torch.save` has whole bytes.
  public var byteCount: Int { (bitWidth + 7) / 8 }

  /// The number of elements in a byte, of which PyTorch's shapes count each; the other packed types count
  /// bytes (`c10/core/ScalarType.h`, `isQIntType`; `aten/src/ATen/quantized/Quantizer.cpp`).
  package var elementsPerByte: Int {
    switch self {
    case .quint4x2: 2
    case .quint2x4: 4
    default: 1
    }
  }

  /// Whether an element has a real and an imaginary part.
  public var isComplex: Bool {
    switch self {
    case .complex32, .complex64, .complex128, .bcomplex32: true
    default: false
    }
  }

  /// Whether an element is one real number or boolean, not complex, quantized or packed.
  public var isNumber: Bool {
    switch self {
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .float16,
      .bfloat16, .float32, .float64, .float8_e5m2, .float8_e4m3fn, .float8_e5m2fnuz,
      .float8_e4m3fnuz, .float8_e8m0fnu:
      true
    default: false
    }
  }

  /// The size in bytes of the numbers that byte order applies to: half of a complex element.
  public var componentByteCount: Int { isComplex ? byteCount / 2 : byteCount }
}
