internal import CkptBase
internal import CkptGraph

/// One-dimensional tensors, one after the other: parameters that were flattened and joined.
struct FlatVector {
  private var pieces: [(tensor: TensorID, range: Range<Int>)] = []
  /// The element type, that of the first piece.
  private(set) var dtype: DType?

  /// The number of elements.
  var count: Int { pieces.last?.range.upperBound ?? 0 }

  /// Appends the elements of a tensor.
  ///
  /// - Throws: `malformed` for one of another type or of more dimensions.
  mutating func append(_ id: NodeID, in graph: TensorGraph) throws(CheckpointError) {
    guard case .tensor(let tensor) = graph[id], graph[tensor].shape.count == 1,
      dtype == nil || dtype == graph[tensor].dtype
    else {
      throw CheckpointError(
        .malformed,
        "expected a tensor of one dimension, found \(graph.description(of: id, limit: 60))")
    }
    dtype = graph[tensor].dtype
    let end = try count.adding(graph[tensor].elementCount, orThrow: "the size of a flat group")
    pieces.append((tensor, count..<end))
  }

  /// Returns the blocks of some of the elements, which are those from `first` on of a tensor of `shape`.
  ///
  /// - Throws: `truncated` if there are fewer elements, `malformed` for a piece without data.
  func blocks(
    _ range: Range<Int>, from first: Int, in shape: [Int], of graph: TensorGraph
  ) throws(CheckpointError) -> [PlacedBlocks.Block] {
    guard range.upperBound <= count else {
      throw CheckpointError(
        .truncated, "the flat groups have \(count) elements, expected at least \(range.upperBound)")
    }
    var blocks: [PlacedBlocks.Block] = []
    for piece in pieces {
      let part = piece.range.clamped(to: range)
      guard !part.isEmpty else { continue }
      let place = first + part.lowerBound - range.lowerBound
      for box in FlatRange(place..<place + part.count, in: shape).boxes {
        let start = part.lowerBound - piece.range.lowerBound + box.start
        blocks.append(
          .init(try graph.block(of: piece.tensor, box.shape, from: start), at: box.origin))
      }
    }
    return blocks
  }
}

/// The flat vectors of all ranks, which together have the elements of parameters.
struct FlatVectors {
  private let ranks: [FlatVector]
  /// The number of the first element of each rank, and the number of all.
  private let starts: [Int]

  /// Vectors in the order of the ranks.
  init(_ ranks: [FlatVector]) {
    self.ranks = ranks
    starts = ranks.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
  }

  /// The element type.
  var dtype: DType? { ranks.first?.dtype }

  /// Returns the blocks of a parameter that begins at a place of the joined vectors.
  ///
  /// - Throws: `truncated` if they have fewer elements.
  func range(
    of shape: [Int], at place: Int, _ graph: TensorGraph
  ) throws(CheckpointError) -> [PlacedBlocks.Block] {
    let wanted = place..<place + shape.reduce(1, *)
    guard wanted.upperBound <= starts[ranks.count] else {
      throw CheckpointError(
        .truncated,
        "the flat groups have \(starts[ranks.count]) elements, expected at least "
          + "\(wanted.upperBound)")
    }
    var blocks: [PlacedBlocks.Block] = []
    for (rank, vector) in ranks.enumerated() {
      let part = wanted.clamped(to: starts[rank]..<starts[rank + 1])
      guard !part.isEmpty else { continue }
      blocks += try vector.blocks(
        part.lowerBound - starts[rank]..<part.upperBound - starts[rank],
        from: part.lowerBound - place, in: shape, of: graph)
    }
    return blocks
  }

  /// The number of elements that each rank has of a parameter that is cut by itself.
  func sliceCount(_ count: Int) -> Int { (count + ranks.count - 1) / ranks.count }

  /// Returns the blocks of a parameter of which every rank has a slice at a place of its own vector.
  ///
  /// - Throws: `truncated` if a rank has fewer elements.
  func slices(
    of shape: [Int], at place: Int, _ graph: TensorGraph
  ) throws(CheckpointError) -> [PlacedBlocks.Block] {
    let count = shape.reduce(1, *)
    let slice = sliceCount(count)
    var blocks: [PlacedBlocks.Block] = []
    for (rank, vector) in ranks.enumerated() {
      let part = min(rank * slice, count)..<min((rank + 1) * slice, count)
      blocks += try vector.blocks(
        place..<place + part.count, from: part.lowerBound, in: shape, of: graph)
    }
    return blocks
  }

  /// Returns the number of elements behind a place: of all vectors together, or of the longest.
  func excess(behind place: Int, isSliced: Bool) -> Int {
    (isSliced ? ranks.map(\.count).max() ?? 0 : starts[ranks.count]) - place
  }
}
