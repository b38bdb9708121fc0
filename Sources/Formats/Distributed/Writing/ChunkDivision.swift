internal import CkptGraph

/// A rule for cutting tensors into chunks of whole rows.
///
/// Every reader reads a whole chunk and then takes its part, so chunks should be those parts.
package enum ChunkDivision: Hashable, Sendable {
  /// As many rows as each of so many ranks has under `Shard(0)` and FSDP2, and a file for each rank.
  case ranks(Int)
  /// As many rows as fit a number of bytes, at least one, in one file.
  case byteCount(Int)

  /// The size of chunks for an unknown number of ranks.
  package static let usual = ChunkDivision.byteCount(128 << 20)
  /// The maximum number of ranks.
  package static let maximumRanks = 1 << 16

  /// The number of files.
  package var fileCount: Int {
    switch self {
    case .ranks(let count): count
    case .byteCount: 1
    }
  }

  /// Returns the file of a chunk.
  func file(ofChunk index: Int) -> Int {
    switch self {
    case .ranks: index
    case .byteCount: 0
    }
  }

  /// Returns the number of rows in each chunk but the last; `nil` for a tensor that is not cut.
  ///
  /// `torch.chunk` divides in the same way: the last ranks may have fewer rows, or none.
  func rowCount(of dtype: DType, _ shape: [Int]) -> Int? {
    guard let rows = shape.first, !shape.contains(0) else { return nil }
    switch self {
    case .ranks(let count): return (rows - 1) / count + 1
    case .byteCount(let limit):
      let rowByteCount = shape.dropFirst().reduce(dtype.byteCount, *)
      return min(max(limit / rowByteCount, 1), rows)
    }
  }
}

/// The rows of a chunk.
struct TensorChunk {
  /// The number of the chunk in its tensor.
  var index: Int
  /// The index of its first element along each dimension.
  var offsets: [Int]
  /// The number of elements along each dimension.
  var sizes: [Int]

  /// The rows of the tensor.
  var rows: Range<Int> { (offsets.first ?? 0)..<(offsets.first ?? 0) + (sizes.first ?? 1) }

  /// Returns the chunks of a tensor, in order.
  static func chunks(of dtype: DType, _ shape: [Int], _ division: ChunkDivision) -> [TensorChunk] {
    let origin = [Int](repeating: 0, count: shape.count)
    guard let rowCount = division.rowCount(of: dtype, shape) else {
      return [TensorChunk(index: 0, offsets: origin, sizes: shape)]
    }
    return stride(from: 0, to: shape[0], by: rowCount).enumerated().map { index, start in
      var chunk = TensorChunk(index: index, offsets: origin, sizes: shape)
      chunk.offsets[0] = start
      chunk.sizes[0] = min(rowCount, shape[0] - start)
      return chunk
    }
  }
}
