package import CkptBase

/// A tensor of a checkpoint: a view over a storage, or a view over nothing for the meta device.
package struct Tensor: Sendable {
  /// How a pickle spells the tensor.
  package enum Origin: Sendable {
    /// The file has no pickle.
    case plain
    /// By calls that rebuild it.
    case call(ObjectID)
    /// As a bare storage, by its persistent id.
    case storage(id: NodeID)
  }

  /// The node that stands for the tensor in the graph.
  package var node: NodeID
  /// The type of the elements.
  package var dtype: DType
  /// The number of elements along each dimension; empty for a scalar.
  package var shape: [Int]
  /// The distance between neighbors along each dimension, in elements.
  package var strides: [Int]
  /// Where the first element lies in the storage, in elements.
  package var offset: Int
  /// The storage, or `nil` for a tensor without data.
  package var storage: StorageID?
  /// Whether autograd records operations on it.
  package var requiresGradient: Bool
  /// Whether the imaginary parts are stored with the opposite sign.
  package var isConjugated: Bool
  /// Whether all values are stored with the opposite sign.
  package var isNegated: Bool
  /// How a pickle spells the tensor.
  package var origin: Origin
  /// Where a file has the elements packed in row-major order, little-endian and with lazy signs
  /// resolved; `nil` where they are to be taken from the storage.
  package var packed: FileRegion?

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

  /// The number of elements; readers have checked that it does not overflow.
  package var elementCount: Int { shape.reduce(1, *) }

  /// The size of the packed elements in bytes.
  package var byteCount: Int { elementCount * dtype.byteCount }

  /// The strides of a tensor of `shape` whose elements are packed in row-major order; a dimension
  /// without elements counts as one.
  package static func packedStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for index in shape.indices.dropLast().reversed() {
      // A tensor without elements may have sizes of any product.
      let (stride, overflow) = strides[index + 1].multipliedReportingOverflow(
        by: max(shape[index + 1], 1))
      strides[index] = overflow ? .max : stride
    }
    return strides
  }

  /// Makes sure that the size of a tensor can be computed.
  ///
  /// A zero anywhere makes a tensor empty, but torch refuses sizes whose product overflows.
  /// - Throws: `malformed` when the size in bytes, empty dimensions left out, does not fit 64 bits.
  package static func requireSize(_ shape: [Int], of dtype: DType) throws(CheckpointError) {
    var elementCount = 1
    for size in shape where size != 0 {
      elementCount = try elementCount.multiplied(by: size, orThrow: "a tensor's element count")
    }
    _ = try elementCount.multiplied(by: dtype.byteCount, orThrow: "a tensor's size in bytes")
  }

  /// Whether the elements lie packed in row-major order.
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

/// Keeps equal shapes and strides once: a checkpoint has any number of tensors, and few different
/// shapes.
package struct DimensionInterner {
  /// How many are kept; those that differ from all of them are made anew.
  private static let limit = 32

  private var known: [[Int]] = []
  private var next = 0

  /// An interner that knows none yet.
  package init() {}

  /// The array that is kept for numbers equal to `dimensions`.
  package mutating func interned(_ dimensions: [Int]) -> [Int] {
    for other in known where other == dimensions { return other }
    // A copy of its own, for `dimensions` may have room for many more.
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

/// The type of a tensor's elements.
///
/// The cases are PyTorch's dtypes that `torch.save` can write (`c10/core/ScalarType.h`) and the two
/// of safetensors that PyTorch lacks (`safetensors/src/tensor.rs`).
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

  /// Whether an element is one real number or truth value; others are complex, quantized or packed.
  public var isNumber: Bool {
    switch self {
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .float16,
      .bfloat16, .float32, .float64, .float8_e5m2, .float8_e4m3fn, .float8_e5m2fnuz,
      .float8_e4m3fnuz, .float8_e8m0fnu:
      true
    default: false
    }
  }

  /// The size in bytes of the number that byte order applies to: half of a complex element.
  public var componentByteCount: Int { isComplex ? byteCount / 2 : byteCount }
}
