internal import CkptBase
internal import CkptGraph

/// A piece of a tensor, and the indices of its first element in the whole.
struct TensorPiece {
  var tensor: TensorID
  var origin: [Int]
}

/// Tensors that are put together from pieces.
extension TensorGraph {
  /// Adds a tensor whose elements are in `blocks`, and returns its node.
  ///
  /// - Throws: `malformed` where blocks overlap or leave holes.
  mutating func addTensor(
    _ dtype: DType, _ shape: [Int], of blocks: [PlacedBlocks.Block]
  ) throws(CheckpointError) -> NodeID {
    let placed = try PlacedBlocks(blocks, in: shape)
    return try addPackedTensor(
      dtype, shape, key: String(storages.count), blocks: shape.contains(0) ? nil : placed)
  }

  /// Returns the blocks of pieces; a piece without elements has none.
  ///
  /// - Throws: `malformed` for a piece without data.
  func blocks(of pieces: [TensorPiece]) throws(CheckpointError) -> [PlacedBlocks.Block] {
    var blocks: [PlacedBlocks.Block] = []
    for piece in pieces {
      guard let elements = try block(of: piece.tensor) else { continue }
      blocks.append(.init(elements, at: piece.origin))
    }
    return blocks
  }

  /// Returns the elements of a tensor as they lie in its file; `nil` for a tensor without elements.
  ///
  /// - Throws: `malformed` for a tensor without data.
  func block(of id: TensorID) throws(CheckpointError) -> ElementBlock? {
    guard self[id].elementCount > 0 else { return nil }
    guard let blocks = blocks(of: self[id])?.blocks, blocks.count == 1 else {
      throw CheckpointError(.malformed, "the tensor has no data")
    }
    return blocks[0].elements
  }

  /// Returns elements of a contiguous tensor from a place on, as a block of another shape.
  ///
  /// - Throws: `malformed` for a tensor without data, or with fewer elements.
  func block(
    of id: TensorID, _ shape: [Int], from start: Int
  ) throws(CheckpointError) -> ElementBlock {
    var part = self[id]
    guard let storage = part.storage.map({ self[$0] }), let region = storage.region,
      part.isContiguous, start + shape.reduce(1, *) <= part.elementCount
    else {
      throw CheckpointError(.malformed, "a tensor of \(part.shape) does not hold its piece")
    }
    part.offset += start
    part.shape = shape
    part.strides = Tensor.packedStrides(shape)
    return ElementBlock(part, in: region, isBigEndian: storage.isBigEndian)
  }
}

/// Warnings about many files, which often have the same to say: each is kept once, and a few are enough.
struct DistinctWarnings {
  private(set) var all: [String] = []

  private static let limit = 8

  /// Adds a warning, unless there are enough.
  mutating func add(_ text: String) {
    if all.count < Self.limit, !all.contains(text) { all.append(text) }
  }
}
