internal import Graph
internal import Plan

/// The bytes that a tensor shows of its storage, as far as they identify it: tensors with equal
/// views are tied.
struct TensorView: Hashable {
  let storage: StorageID
  let dtype: DType
  let shape: [Int]
  let strides: [Int]
  let offset: Int
  let isConjugated: Bool
  let isNegated: Bool

  /// The view of a tensor, or `nil` for one that has no bytes to share.
  init?(_ tensor: Tensor) {
    guard let storage = tensor.storage, tensor.elementCount > 0 else { return nil }
    self.storage = storage
    dtype = tensor.dtype
    shape = tensor.shape
    strides = tensor.strides
    offset = tensor.offset
    isConjugated = tensor.isConjugated
    isNegated = tensor.isNegated
  }
}

extension Tensor {
  /// The tensor's elements in row-major order and little-endian, with lazy signs resolved.
  ///
  /// `nil` for a tensor without elements.
  func packed(from graph: TensorGraph) -> Segment? {
    guard byteCount > 0 else { return nil }
    if let packed { return .copy(packed, range: 0..<byteCount) }
    guard let storage = storage.map({ graph[$0] }), let region = storage.region else { return nil }
    let swapWidth = storage.isBigEndian ? dtype.componentByteCount : 1
    let flips = flippedBits
    let start = offset * dtype.byteCount
    if isContiguous, swapWidth == 1, flips.isEmpty {
      return .copy(region, range: start..<start + byteCount)
    }
    return .gather(
      region,
      StridedElements(
        byteOffset: start, shape: shape, byteStrides: strides.map { $0 * dtype.byteCount },
        elementByteCount: dtype.byteCount, swapWidth: swapWidth, flippedBits: flips))
  }

  /// The sign bits that PyTorch's lazy flags stand for, as a little-endian mask of one element.
  private var flippedBits: [UInt8] {
    guard isConjugated || isNegated else { return [] }
    var mask = [UInt8](repeating: 0, count: dtype.byteCount)
    let isImaginaryFlipped = isConjugated != isNegated
    if dtype.isComplex {
      mask[dtype.byteCount - 1] = isImaginaryFlipped ? 0x80 : 0
      mask[dtype.byteCount / 2 - 1] = isNegated ? 0x80 : 0
    } else {
      mask[dtype.byteCount - 1] = isNegated ? 0x80 : 0
    }
    return mask.allSatisfy { $0 == 0 } ? [] : mask
  }
}
