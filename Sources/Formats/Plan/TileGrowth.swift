/// The search for the extents of a tile: from one element, doubling the dimension that pays most.
struct TileGrowth {
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
        if cost < self.cost * TileGrowth.worth, cost < best?.cost ?? .infinity {
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
      if cost < self.cost * TileGrowth.worth { (extents, self.cost) = (candidate, cost) }
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
    let calls = reading.readCount * TileGrowth.readCost + writes * TileGrowth.writeCost
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
