package import Bytes

/// A tensor of a checkpoint: a view over a storage, or a view over nothing for the meta device.
public struct Tensor: Sendable {
  /// How a pickle spells the tensor.
  public enum Origin: Sendable {
    /// The file has no pickle.
    case plain
    /// By calls that rebuild it.
    case call(ObjectID)
    /// As a bare storage, by its persistent id.
    case storage(id: NodeID)
  }

  /// The node that stands for the tensor in the graph.
  public var node: NodeID
  /// The type of the elements.
  public var dtype: DType
  /// The number of elements along each dimension; empty for a scalar.
  public var shape: [Int]
  /// The distance between neighbours along each dimension, in elements.
  public var strides: [Int]
  /// Where the first element lies in the storage, in elements.
  public var offset: Int
  /// The storage, or `nil` for a tensor without data.
  public var storage: StorageID?
  /// Whether autograd records operations on it.
  public var requiresGradient: Bool
  /// Whether the imaginary parts are stored with the opposite sign.
  public var isConjugated: Bool
  /// Whether all values are stored with the opposite sign.
  public var isNegated: Bool
  /// How a pickle spells the tensor.
  public var origin: Origin
  /// Where a file has the elements packed in row-major order, little-endian and with lazy signs
  /// resolved; `nil` where they are to be taken from the storage.
  public package(set) var packed: FileRegion?

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
  public var elementCount: Int { shape.reduce(1, *) }

  /// The size of the packed elements in bytes.
  public var byteCount: Int { elementCount * dtype.byteCount }

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
  package static func requireSize(_ shape: [Int], of dtype: DType) throws(FormatError) {
    var elementCount = 1
    for size in shape where size != 0 {
      elementCount = try elementCount.multiplied(by: size, orThrow: "a tensor's element count")
    }
    _ = try elementCount.multiplied(by: dtype.byteCount, orThrow: "a tensor's size in bytes")
  }

  /// Whether the elements lie packed in row-major order.
  public var isContiguous: Bool {
    guard !shape.contains(0) else { return true }
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      guard stride == expected else { return false }
      expected *= size
    }
    return true
  }
}
