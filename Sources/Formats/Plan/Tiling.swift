/// How a strided selection is cut into boxes that fit working memory.
///
/// A box is a range of indices along every dimension. Its elements are fetched with as few reads as
/// its source allows, packed in memory, and written with as few writes as its place in the output
/// allows. The two pull in different directions when a tensor is transposed: a box that is one row
/// of the output is one element of each of many source rows. The extents are therefore grown step
/// by step, each time along the dimension that makes a byte of output cheapest.
struct Tiling: Sendable {
  /// One box.
  struct Box {
    /// The number of elements along each dimension.
    let extents: [Int]
    /// The strides of the elements once they are packed.
    let packedStrides: [Int]
    /// The distance in bytes from the selection's first element to the box's in the source.
    let sourceOffset: Int
    /// The same distance in the output.
    let outputOffset: Int
    /// How the elements are read.
    let reading: BoxReading
    /// The size of the packed elements in bytes.
    let byteCount: Int
  }

  /// The selection that is cut.
  let layout: StridedLayout
  /// The number of boxes.
  let count: Int
  /// The longest read in bytes.
  private let readLimit: Int
  /// The extents of a box that does not touch the far edges.
  private let tile: [Int]
  /// The number of boxes along each dimension.
  private let grid: [Int]
  /// The dimensions from the smallest stride to the largest.
  private let bySourceStride: [Int]

  /// Cuts `layout` into boxes of at most `budget` bytes, read in pieces of at most `readLimit`.
  ///
  /// An element must fit both. With `inOrder` every box is one run of the output and box n + 1
  /// follows box n.
  init(_ layout: StridedLayout, budget: Int, readLimit: Int, inOrder: Bool) {
    self.layout = layout
    self.readLimit = readLimit
    let strides = layout.strides
    bySourceStride = strides.indices.sorted { (strides[$0], $1) < (strides[$1], $0) }
    tile = Tiling.tile(of: layout, bySourceStride, budget, readLimit, inOrder)
    grid = zip(layout.extents, tile).map { ($0 + $1 - 1) / $1 }
    count = grid.reduce(1, *)
  }

  private static func tile(
    of layout: StridedLayout, _ bySourceStride: [Int], _ budget: Int, _ readLimit: Int,
    _ inOrder: Bool
  ) -> [Int] {
    // One read and one write: there is nothing to search for.
    if layout.byteCount <= min(budget, readLimit),
      BoxReading(of: layout.extents, in: layout, bySourceStride, limit: readLimit).readCount == 1
    {
      return layout.extents
    }
    var growth = TileGrowth(layout, bySourceStride, budget: budget, readLimit: readLimit)
    growth.run(inOrder: inOrder)
    return growth.extents
  }

  /// The box of a number below ``count``.
  func box(_ number: Int) -> Box {
    var rest = number
    var extents = tile
    var sourceOffset = 0
    var outputOffset = 0
    for dimension in grid.indices.reversed() {
      let origin = rest % grid[dimension] * tile[dimension]
      rest /= grid[dimension]
      extents[dimension] = min(tile[dimension], layout.extents[dimension] - origin)
      sourceOffset += origin * layout.strides[dimension]
      outputOffset += origin * layout.targetStrides[dimension]
    }
    return Box(
      extents: extents, packedStrides: StridedLayout.packedStrides(extents, unit: layout.unit),
      sourceOffset: sourceOffset, outputOffset: outputOffset,
      reading: BoxReading(of: extents, in: layout, bySourceStride, limit: readLimit),
      byteCount: extents.reduce(layout.unit, *))
  }

  /// The writes of a box: from where among its packed elements to where in the output, counted from
  /// the selection's first element.
  func writes(of box: Box) -> Odometer {
    let outer = 0..<layout.scatteredDimensions(of: box.extents)
    return Odometer(
      extents: Array(box.extents[outer]), sourceStrides: Array(box.packedStrides[outer]),
      targetStrides: Array(layout.targetStrides[outer]), target: box.outputOffset)
  }

  /// The number of bytes that one of the writes of a box takes.
  func runByteCount(of box: Box) -> Int {
    box.extents[layout.scatteredDimensions(of: box.extents)...].reduce(layout.unit, *)
  }
}
