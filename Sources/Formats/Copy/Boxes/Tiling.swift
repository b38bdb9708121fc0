internal import CkptPlan

/// A division of a strided selection into boxes that fit working memory.
///
/// A box is a range of indices along every dimension. Its elements are read with few reads, packed
/// in memory, and written with few writes. The two goals conflict if a tensor is transposed: a row
/// of the output is one element from each of many source rows. So the extents grow step by step,
/// each time along the dimension that makes a byte of output cheapest.
struct Tiling: Sendable {
  /// One box.
  struct Box {
    /// The number of elements along each dimension.
    let extents: [Int]
    /// The strides of the packed elements.
    let packedStrides: [Int]
    /// The distance in the source from the first element of the selection to that of the box, in
    /// bytes.
    let sourceOffset: Int
    /// The same distance in the output.
    let outputOffset: Int
    /// The reads for its elements.
    let reading: BoxReading
    /// The size of the packed elements in bytes.
    let byteCount: Int
  }

  /// The selection.
  let layout: StridedLayout
  /// The number of boxes.
  let count: Int
  /// The maximum length of a read in bytes.
  private let readLimit: Int
  /// The extents of a box that is not at the far edges.
  private let tile: [Int]
  /// The number of boxes along each dimension.
  private let grid: [Int]
  /// The dimensions from the smallest stride to the largest.
  private let bySourceStride: [Int]

  /// Divides `layout` into boxes of at most `budget` bytes, with reads of at most `readLimit`
  /// bytes.
  ///
  /// An element must fit both limits. With `inOrder` every box is one run of the output, and box n
  /// + 1 follows box n.
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
    // One read and one write are enough, so no search is needed.
    if layout.byteCount <= min(budget, readLimit),
      BoxReading(of: layout.extents, in: layout, bySourceStride, limit: readLimit).readCount == 1
    {
      return layout.extents
    }
    var growth = TileSearch(layout, bySourceStride, budget: budget, readLimit: readLimit)
    growth.run(inOrder: inOrder)
    return growth.extents
  }

  /// Returns the box with a number below ``count``.
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

  /// Returns the writes of a box: the offsets among its packed elements and in the output, counted
  /// from the first element of the selection.
  func writes(of box: Box) -> Odometer {
    let outer = 0..<layout.scatteredDimensions(of: box.extents)
    return Odometer(
      extents: Array(box.extents[outer]), sourceStrides: Array(box.packedStrides[outer]),
      targetStrides: Array(layout.targetStrides[outer]), target: box.outputOffset)
  }

  /// Returns the length of one write of a box in bytes.
  func runByteCount(of box: Box) -> Int {
    box.extents[layout.scatteredDimensions(of: box.extents)...].reduce(layout.unit, *)
  }
}

/// The search for the extents of a tile.
///
/// It starts with one element and doubles the dimension that pays most.
struct TileSearch {
  /// The fixed cost of a read, as the number of bytes copied in the same time.
  ///
  /// Measured on ext4 with Linux 6.18: half a microsecond for `pread` of cached bytes, one and a
  /// half for `pwrite`.
  private static let readCost = 4096
  /// The fixed cost of a write.
  private static let writeCost = 16_384
  /// The factor that the cost must fall below for another step.
  ///
  /// A box that gains nothing by its size should stay in the cache.
  private static let worth = 0.98

  /// The extents found so far.
  private(set) var extents: [Int]
  private let layout: StridedLayout
  private let bySourceStride: [Int]
  private let budget: Int
  private let readLimit: Int
  private var cost: Double

  /// Creates a search; see ``Tiling/init(_:budget:readLimit:inOrder:)``.
  init(_ layout: StridedLayout, _ bySourceStride: [Int], budget: Int, readLimit: Int) {
    self.layout = layout
    self.bySourceStride = bySourceStride
    self.budget = budget
    self.readLimit = readLimit
    extents = layout.extents.map { _ in 1 }
    cost = .infinity
  }

  /// Grows the tile until nothing fits or pays.
  ///
  /// Growing the innermost incomplete dimension makes writes longer. Growing the one with the
  /// smallest stride makes reads longer. With `inOrder` only the former is allowed.
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

  /// There is only one direction, and a step that pays can follow one that does not: reads get
  /// longer only when a row of the output is complete.
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

  /// Returns the cost of one byte of output with boxes of these extents; infinite for boxes that
  /// are too large.
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
  /// Returns the number of outer dimensions over which a box of these extents is not one run of the
  /// target.
  func scatteredDimensions(of extents: [Int]) -> Int {
    extents.indices.last { extents[$0] < self.extents[$0] } ?? 0
  }
}
