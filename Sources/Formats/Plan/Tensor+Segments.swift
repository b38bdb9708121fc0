package import CkptGraph

extension Tensor {
  /// The segments whose bytes, one after the other, are the tensor's elements.
  ///
  /// They are in row-major order and little-endian, with lazy signs resolved. A tensor without
  /// elements or without data has no segments.
  package func segments(from graph: TensorGraph) -> [Segment] {
    graph.blocks(of: self).map { $0.segment(as: dtype) }
  }

  /// Where the elements lie in `storage`, and what turns them into packed ones or back.
  package func placement(in storage: Storage) -> StridedElements {
    StridedElements(
      dtype, shape: shape, strides: strides, offset: offset, isBigEndian: storage.isBigEndian,
      isConjugated: isConjugated, isNegated: isNegated)
  }
}

extension Storage {
  /// The bytes of a storage that consists of blocks.
  package var blockSegments: [Segment] { blocks.map { $0.segment(as: dtype ?? $0.dtype) } }
}

extension ElementBlock {
  /// The block's elements, packed and cast to `dtype`.
  fileprivate func segment(as dtype: DType) -> Segment {
    let elements = StridedElements(
      self.dtype, shape: shape, strides: strides, offset: offset, isBigEndian: isBigEndian,
      isConjugated: isConjugated, isNegated: isNegated)
    if let cast = ElementCast(from: self.dtype, to: dtype) { return .cast(region, elements, cast) }
    guard elements.layout.isContiguous, !elements.changesBytes else {
      return .gather(region, elements)
    }
    let start = elements.byteOffset
    return .copy(region, range: start..<start + elements.byteCount)
  }
}

extension StridedElements {
  /// A view of `dtype` with strides and offset in elements.
  fileprivate init(
    _ dtype: DType, shape: [Int], strides: [Int], offset: Int, isBigEndian: Bool,
    isConjugated: Bool, isNegated: Bool
  ) {
    self.init(
      byteOffset: offset * dtype.byteCount, shape: shape,
      byteStrides: strides.map { $0 * dtype.byteCount }, elementByteCount: dtype.byteCount,
      swapWidth: isBigEndian ? dtype.componentByteCount : 1,
      flippedBits: StridedElements.flippedBits(
        dtype, isConjugated: isConjugated, isNegated: isNegated))
  }

  /// The sign bits that PyTorch's lazy flags stand for, as a little-endian mask of one element.
  private static func flippedBits(
    _ dtype: DType, isConjugated: Bool, isNegated: Bool
  ) -> [UInt8] {
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
