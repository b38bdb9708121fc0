package import CkptBase

/// Blocks of elements in a box of any number of dimensions: the contents of a storage that no file
/// has in one piece.
///
/// Every element of the box is in exactly one block. Packed in row-major order, the elements are
/// the storage. Shards of a tensor lie at their offsets, tensors joined by rows lie below each
/// other, and cast elements are one block.
package struct PlacedBlocks: Sendable {
  /// A block with its position.
  package struct Block: Sendable {
    /// The indices of its first element in the box.
    package var origin: [Int]
    /// The elements.
    package var elements: ElementBlock

    /// Places elements in a box.
    package init(_ elements: ElementBlock, at origin: [Int]) {
      self.elements = elements
      self.origin = origin
    }
  }

  /// The number of elements of the box along each dimension.
  package private(set) var shape: [Int]
  /// The blocks in the row-major order of their first elements; none is empty.
  package private(set) var blocks: [Block]

  /// Places blocks in a box of `shape`; empty blocks are dropped.
  ///
  /// - Throws: `malformed` for a block outside of the box or of another dtype, and for an element
  ///   in no block or in several; `limitExceeded` for too many blocks.
  package init(_ blocks: [Block], in shape: [Int]) throws(CheckpointError) {
    self.shape = shape
    self.blocks = []
    try Tensor.requireSize(shape, of: blocks.first?.elements.dtype ?? .uint8)
    for block in blocks {
      do throws(CheckpointError) {
        try block.validate(in: shape, as: blocks[0].elements.dtype)
      } catch {
        throw block.framed(error)
      }
      if !block.elements.shape.contains(0) { self.blocks.append(block) }
    }
    self.blocks.sort { $0.origin.lexicographicallyPrecedes($1.origin) }
    guard !shape.contains(0) else { return }
    if let fault = try BlockCoverage(self.blocks, in: shape).fault { throw fault }
  }

  /// Creates a box of one block with at least one element.
  init(whole elements: ElementBlock) {
    shape = elements.shape
    blocks = [Block(elements, at: [Int](repeating: 0, count: elements.shape.count))]
  }

  /// Returns the part of the box with the indices `range` along the first dimension.
  package func rows(_ range: Range<Int>) -> PlacedBlocks {
    guard let count = shape.first, range != 0..<count else { return self }
    var part = self
    part.shape[0] = range.count
    part.blocks = blocks.compactMap { block in
      var block = block
      let start = block.origin[0]
      let rows = (start..<start + block.elements.shape[0]).clamped(to: range)
      guard !rows.isEmpty else { return nil }
      block.origin[0] = rows.lowerBound - range.lowerBound
      block.elements = block.elements.rows(rows.lowerBound - start..<rows.upperBound - start)
      return block
    }
    return part
  }

  /// Appends another box along the first dimension; the other dimensions are equal.
  mutating func append(_ other: PlacedBlocks) {
    for var block in other.blocks {
      block.origin[0] += shape[0]
      if let both = blocks.last?.joined(with: block) {
        blocks[blocks.count - 1] = both
      } else {
        blocks.append(block)
      }
    }
    shape[0] += other.shape[0]
  }
}

extension PlacedBlocks.Block {
  /// Checks that the block is inside a box of `shape` and has the dtype `dtype`.
  ///
  /// - Throws: `malformed` if it is not.
  fileprivate func validate(in shape: [Int], as dtype: DType) throws(CheckpointError) {
    guard elements.dtype == dtype else {
      throw CheckpointError(
        .malformed, "a block of \(elements.dtype.name) is in a tensor of \(dtype.name)")
    }
    let extents = elements.shape
    guard origin.count == shape.count, extents.count == shape.count,
      shape.indices.allSatisfy({ dimension in
        origin[dimension] >= 0 && extents[dimension] >= 0
          && extents[dimension] <= shape[dimension]
          && origin[dimension] <= shape[dimension] - extents[dimension]
      })
    else {
      throw CheckpointError(
        .malformed, "a block of shape \(extents) at \(origin) is not inside a tensor of \(shape)")
    }
  }

  /// Returns the union of this block and `next`, if `next` continues it below in the same region.
  fileprivate func joined(with next: Self) -> Self? {
    guard next.origin[0] == origin[0] + elements.shape[0],
      next.origin.dropFirst() == origin.dropFirst(),
      let both = elements.joined(with: next.elements)
    else { return nil }
    return Self(both, at: origin)
  }

  /// Adds the names of the region and source of this block to an error.
  func framed(_ error: CheckpointError) -> CheckpointError {
    error.framed(by: elements.region.name).framed(by: elements.region.source.name)
  }
}

/// Elements in a file: a view like that of a tensor, but over a region.
package struct ElementBlock: Sendable {
  /// The region that the block is a view of.
  package var region: FileRegion
  /// The dtype of the elements in the file.
  package var dtype: DType
  /// The number of elements along each dimension.
  package var shape: [Int]
  /// The distance between adjacent elements along each dimension, in elements.
  package var strides: [Int]
  /// The offset of the first element in the region, in elements.
  package var offset: Int
  /// Whether numbers are big-endian.
  package var isBigEndian: Bool
  /// Whether the imaginary parts are stored with the opposite sign.
  package var isConjugated: Bool
  /// Whether all values are stored with the opposite sign.
  package var isNegated: Bool

  /// Creates the elements of a tensor in the region of its storage.
  package init(_ tensor: Tensor, in region: FileRegion, isBigEndian: Bool) {
    self.region = region
    dtype = tensor.dtype
    shape = tensor.shape
    strides = tensor.strides
    offset = tensor.offset
    self.isBigEndian = isBigEndian
    isConjugated = tensor.isConjugated
    isNegated = tensor.isNegated
  }

  /// Creates elements that a region has packed in row-major order, little-endian and with lazy
  /// signs applied.
  package init(packed region: FileRegion, dtype: DType, shape: [Int]) {
    self.region = region
    self.dtype = dtype
    self.shape = shape
    strides = Tensor.packedStrides(shape)
    offset = 0
    isBigEndian = false
    isConjugated = false
    isNegated = false
  }

  /// Returns the elements with the indices `range`, which is not empty, along the first dimension.
  fileprivate func rows(_ range: Range<Int>) -> ElementBlock {
    var part = self
    part.offset += range.lowerBound * strides[0]
    part.shape[0] = range.count
    return part
  }

  /// Returns the union of this block and `next`, if `next` continues it in the same region.
  fileprivate func joined(with next: ElementBlock) -> ElementBlock? {
    guard FileRegion.Identity(region) == FileRegion.Identity(next.region), dtype == next.dtype,
      strides == next.strides,
      shape.dropFirst() == next.shape.dropFirst(), isBigEndian == next.isBigEndian,
      isConjugated == next.isConjugated, isNegated == next.isNegated,
      let step = strides.first, next.offset == offset + shape[0] * step
    else { return nil }
    var both = self
    both.shape[0] += next.shape[0]
    return both
  }
}
