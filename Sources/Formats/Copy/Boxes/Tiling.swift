internal import CkptPlan

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
    var growth = TileSearch(layout, bySourceStride, budget: budget, readLimit: readLimit)
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

/// The search for the extents of a tile: from one element, doubling the dimension that pays most.
struct TileSearch {
  /// What a read costs beside its bytes, in bytes that could have been copied in the same time.
  ///
  /// Measured on ext4 under Linux 6.18: half a microsecond for `pread` of cached bytes, one and a
  /// half for `pwrite`.
  private static let readCost = 4096
  /// What a write costs beside its bytes.
  private static let writeCost = 16_384
  /// What must be left of the cost for another step: boxes that gain nothing by being large should
  /// stay in the cache.
  private static let worth = 0.98

  /// The extents found so far.
  private(set) var extents: [Int]
  private let layout: StridedLayout
  private let bySourceStride: [Int]
  private let budget: Int
  private let readLimit: Int
  private var cost: Double

  /// A search that has not begun; see ``Tiling/init(_:budget:readLimit:inOrder:)``.
  init(_ layout: StridedLayout, _ bySourceStride: [Int], budget: Int, readLimit: Int) {
    self.layout = layout
    self.bySourceStride = bySourceStride
    self.budget = budget
    self.readLimit = readLimit
    extents = layout.extents.map { _ in 1 }
    cost = .infinity
  }

  /// Grows the tile until nothing fits or pays any more.
  ///
  /// Growing the innermost dimension that is not complete makes writes longer, growing the one with
  /// the smallest stride makes reads longer. With `inOrder` only the former is allowed.
  mutating func run(inOrder: Bool) {
    if inOrder { growInOrder() } else { growFreely() }
  }

  private mutating func growFreely() {
    while true {
      let forWrites = extents.indices.last { canGrow($0, in: extents) }
      let forReads = bySourceStride.first { layout.strides[$0] > 0 && canGrow($0, in: extents) }
      var best: (extents: [Int], cost: Double)?
      for dimension in [forWrites, forReads] {
        guard let dimension else { continue }
        let grown = grown(extents, along: dimension)
        let cost = cost(of: grown)
        if cost < self.cost * TileSearch.worth, cost < best?.cost ?? .infinity {
          best = (grown, cost)
        }
      }
      guard let best else { return }
      (extents, cost) = best
    }
  }

  /// There is one way to go, and what pays may lie behind what does not: only when a row of the
  /// output is complete do reads get longer.
  private mutating func growInOrder() {
    var candidate = extents
    while true {
      let cost = cost(of: candidate)
      guard cost.isFinite else { return }
      if cost < self.cost * TileSearch.worth { (extents, self.cost) = (candidate, cost) }
      guard let dimension = candidate.indices.last(where: { canGrow($0, in: candidate) }) else {
        return
      }
      candidate = grown(candidate, along: dimension)
    }
  }

  private func grown(_ extents: [Int], along dimension: Int) -> [Int] {
    var grown = extents
    grown[dimension] = min(2 * grown[dimension], layout.extents[dimension])
    return grown
  }

  private func canGrow(_ dimension: Int, in extents: [Int]) -> Bool {
    extents[dimension] < layout.extents[dimension]
  }

  /// What one byte of output costs with boxes of these extents; infinite when they are too large.
  private func cost(of extents: [Int]) -> Double {
    let byteCount = extents.reduce(layout.unit, *)
    guard byteCount <= budget else { return .infinity }
    let reading = BoxReading(of: extents, in: layout, bySourceStride, limit: readLimit)
    let writes = extents.prefix(layout.scatteredDimensions(of: extents)).reduce(1, *)
    let calls = reading.readCount * TileSearch.readCost + writes * TileSearch.writeCost
    let read = Double(reading.readCount) * Double(reading.runByteCount)
    return (Double(calls + byteCount) + read) / Double(byteCount)
  }
}

extension StridedLayout {
  /// The number of outer dimensions over which a box of these extents is not one run of the target.
  func scatteredDimensions(of extents: [Int]) -> Int {
    extents.indices.last { extents[$0] < self.extents[$0] } ?? 0
  }
}
