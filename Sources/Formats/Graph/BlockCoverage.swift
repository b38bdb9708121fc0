internal import CkptBase

/// Checks that blocks cover each element of a box exactly once.
///
/// The number of blocks that hold an element is a sum of signs at corners. A block has plus one at
/// its first corner, and the sign flips for each dimension in which another corner lies at its end.
/// Summed over all corners that are not after the element along any dimension, this is one for a
/// block that holds the element and zero for any other. So the blocks cover the box exactly once if
/// their corners cancel out with those of the box. Otherwise the first remaining corner in
/// row-major order is the first wrong element, because the sum up to there is its own sign.
///
/// The running time is that of sorting the corners.
struct BlockCoverage {
  private struct Corner {
    /// The number of the corner in the row-major order of all positions, including the ends.
    var place: Int
    var sign: Int
  }

  private let blocks: [PlacedBlocks.Block]
  private let shape: [Int]
  /// The dimensions along which some block is shorter than the box; the others can be ignored.
  private let dimensions: [Int]
  /// The distance between adjacent positions along each of ``dimensions``.
  private let strides: [Int]
  private var corners: [Corner] = []

  /// Collects the corners of non-empty blocks inside a box of `shape`.
  ///
  /// - Throws: `limitExceeded` for too many corners, `malformed` if their positions overflow.
  init(_ blocks: [PlacedBlocks.Block], in shape: [Int]) throws(CheckpointError) {
    self.blocks = blocks
    self.shape = shape
    dimensions = shape.indices.filter { dimension in
      blocks.contains { $0.elements.shape[dimension] != shape[dimension] }
    }
    guard dimensions.count < Int.bitWidth - 1,
      blocks.count < Limits.blockCorners >> dimensions.count
    else {
      throw CheckpointError(
        .limitExceeded,
        "\(blocks.count) blocks that split \(dimensions.count) dimensions exceed the limit")
    }
    var strides: [Int] = []
    var stride = 1
    for dimension in dimensions.reversed() {
      strides.append(stride)
      let count = try shape[dimension].adding(1, orThrow: "a tensor's extent")
      stride = try stride.multiplied(by: count, orThrow: "a tensor's element count")
    }
    self.strides = strides.reversed()
    corners.reserveCapacity((blocks.count + 1) << dimensions.count)
    for block in blocks { add(block.origin, block.elements.shape, sign: 1) }
    add(shape.map { _ in 0 }, shape, sign: -1)
    corners.sort { $0.place < $1.place }
  }

  private mutating func add(_ origin: [Int], _ extents: [Int], sign: Int) {
    for ends in 0..<1 << dimensions.count {
      var corner = Corner(place: 0, sign: sign)
      for (number, dimension) in dimensions.enumerated() {
        var index = origin[dimension]
        if ends >> number & 1 == 1 {
          index += extents[dimension]
          corner.sign = -corner.sign
        }
        corner.place += index * strides[number]
      }
      corners.append(corner)
    }
  }

  /// The error that names the first element in no block or in several; `nil` if there is none.
  var fault: CheckpointError? {
    var sum = 0
    for (index, corner) in corners.enumerated() {
      sum += corner.sign
      guard index + 1 == corners.count || corners[index + 1].place != corner.place else { continue }
      if sum != 0 { return fault(at: element(corner.place), isHole: sum < 0) }
    }
    return nil
  }

  /// Returns the indices of the element at a position.
  private func element(_ place: Int) -> [Int] {
    var element = shape.map { _ in 0 }
    var rest = place
    for (number, dimension) in dimensions.enumerated() {
      element[dimension] = rest / strides[number]
      rest %= strides[number]
    }
    return element
  }

  private func fault(at element: [Int], isHole: Bool) -> CheckpointError {
    let holders = blocks.filter { block in
      element.indices.allSatisfy {
        0..<block.elements.shape[$0] ~= element[$0] - block.origin[$0]
      }
    }
    guard !isHole, holders.count > 1 else {
      return CheckpointError(
        .malformed, "element \(element) of a tensor of shape \(shape) is in no block")
    }
    let first = holders[0].elements.region
    return holders[1].framed(
      CheckpointError(
        .malformed,
        "element \(element) of a tensor of shape \(shape) is in two blocks, one of them "
          + "'\(first.name)' of \(first.source.name)"))
  }
}
