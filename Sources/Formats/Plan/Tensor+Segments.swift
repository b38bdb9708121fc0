package import Graph

/// How a tensor's elements lie in its storage, in bytes.
extension Tensor {
  /// The tensor's elements in row-major order and little-endian, with lazy signs resolved.
  ///
  /// `nil` for a tensor without elements.
  package func packed(from graph: TensorGraph) -> Segment? {
    guard byteCount > 0 else { return nil }
    if let packed { return .copy(packed, range: 0..<byteCount) }
    guard let storage = storage.map({ graph[$0] }), let region = storage.region else { return nil }
    let elements = placement(in: storage)
    if isContiguous, elements.swapWidth == 1, elements.flippedBits.isEmpty {
      return .copy(region, range: elements.byteOffset..<elements.byteOffset + byteCount)
    }
    return .gather(region, elements)
  }

  /// Where the elements lie in `storage`, and what turns them into packed ones or back.
  package func placement(in storage: Storage) -> StridedElements {
    StridedElements(
      byteOffset: offset * dtype.byteCount, shape: shape,
      byteStrides: strides.map { $0 * dtype.byteCount }, elementByteCount: dtype.byteCount,
      swapWidth: storage.isBigEndian ? dtype.componentByteCount : 1, flippedBits: flippedBits)
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
