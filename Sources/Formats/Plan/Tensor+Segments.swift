package import CkptGraph

extension Tensor {
  /// Returns the segments of the tensor's elements, in sequence.
  ///
  /// They are in row-major order and little-endian, with lazy signs applied. A tensor without
  /// elements or data has no segments.
  package func segments(from graph: TensorGraph) -> [Segment] {
    if let segment = wholeSegment(from: graph) { return [segment] }
    return graph.blocks(of: self)?.segments(as: dtype) ?? []
  }

  /// Returns the single copy for elements that a file has packed and unchanged, or `nil`.
  ///
  /// Nearly all tensors are such copies.
  private func wholeSegment(from graph: TensorGraph) -> Segment? {
    guard let storage, packed == nil, !isConjugated, !isNegated,
      !graph.storages[graph.index(of: storage)].isBigEndian,
      let region = graph.storages[graph.index(of: storage)].region, isContiguous
    else { return nil }
    let (count, width) = (elementCount, dtype.byteCount)
    guard count > 0 else { return nil }
    return .copy(region, range: offset * width..<(offset + count) * width)
  }

  /// Returns the positions of the elements in `storage`, and the changes that pack them.
  package func placement(in storage: Storage) -> StridedElements {
    StridedElements(
      dtype, shape: shape, strides: strides, offset: offset, isBigEndian: storage.isBigEndian,
      isConjugated: isConjugated, isNegated: isNegated)
  }
}

extension Storage {
  /// The bytes of a storage made of blocks; `nil` for other storages.
  package var blockSegments: [Segment]? {
    blocks.flatMap { blocks in
      (dtype ?? blocks.blocks.first?.elements.dtype).map { blocks.segments(as: $0) }
    }
  }
}

extension PlacedBlocks {
  /// Returns the segments of the elements of the box in sequence, cast to `dtype`.
  ///
  /// Blocks of whole rows are segments of their own. Blocks beside each other are assembled.
  package func segments(as dtype: DType) -> [Segment] {
    if blocks.count == 1 { return [blocks[0].elements.segment(as: dtype)] }
    var segments: [Segment] = []
    var rest = blocks[...]
    while let first = rest.first {
      // Blocks of different dtypes were joined; they have no rows in common.
      let alike = rest.prefix { $0.elements.dtype == first.elements.dtype }
      rest = rest.dropFirst(alike.count)
      let rows = first.origin[0]..<(rest.first?.origin[0] ?? shape[0])
      segments += Segment.segments(of: assembly(of: alike, in: rows, as: dtype))
    }
    return segments
  }

  /// Assembles the rows `rows` of the box, all of whose elements are in blocks of one dtype.
  private func assembly(
    of blocks: ArraySlice<Block>, in rows: Range<Int>, as dtype: DType
  ) -> Assembly {
    let source = blocks[blocks.startIndex].elements.dtype
    let strides = StridedLayout.packedStrides(shape, unit: source.byteCount)
    let pieces = blocks.map { block in
      let elements = StridedElements(block.elements)
      var placement = elements
      placement.byteStrides = strides
      placement.byteOffset =
        zip(block.origin, strides).reduce(-rows.lowerBound * strides[0]) { $0 + $1.0 * $1.1 }
      return Assembly.Piece(
        region: block.elements.region, placement: placement, sourceOffset: elements.byteOffset,
        sourceStrides: elements.byteStrides)
    }
    return Assembly(
      byteCount: rows.count * strides[0], pieces: pieces,
      cast: ElementCast(from: source, to: dtype),
      isDisjoint: true)
  }
}

extension ElementBlock {
  /// Returns the elements of the block, packed and cast to `dtype`.
  fileprivate func segment(as dtype: DType) -> Segment {
    let elements = StridedElements(self)
    if let cast = ElementCast(from: self.dtype, to: dtype) { return .cast(region, elements, cast) }
    guard elements.layout.isContiguous, !elements.changesBytes else {
      return .gather(region, elements)
    }
    let start = elements.byteOffset
    return .copy(region, range: start..<start + elements.byteCount)
  }
}

extension StridedElements {
  /// Creates a view of the elements of a block in its region.
  fileprivate init(_ block: ElementBlock) {
    self.init(
      block.dtype, shape: block.shape, strides: block.strides, offset: block.offset,
      isBigEndian: block.isBigEndian, isConjugated: block.isConjugated,
      isNegated: block.isNegated)
  }

  /// Creates a view of `dtype` with strides and offset in elements.
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

  /// Returns the sign bits for PyTorch's lazy flags, as a little-endian mask of one element.
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
