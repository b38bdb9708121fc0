/// How a strided selection is cut into boxes that fit working memory.
///
/// A box is a range of indices along every dimension. Its elements are fetched with as few reads as
/// its source allows, packed in memory, and written with as few writes as its place in the output
/// allows. The two pull in different directions when a tensor is transposed: a box that is one row
/// of the output is one element of each of many source rows. The extents are therefore grown step
/// by step, each time along the dimension that makes a byte of output cheapest.
struct Tiling: Sendable {
  /// One box: where its first element lies, in bytes, and how many there are.
  struct Box {
    /// The number of elements along each dimension.
    var extents: [Int]
    /// The distance from the selection's first element in the source.
    var sourceOffset: Int
    /// The distance from the selection's first element in the output.
    var outputOffset: Int
    /// How its elements are read.
    var reading: BoxReading
    /// Where its elements lie in memory once they are read.
    var memoryLayout: StridedLayout
  }

  /// The selection that is cut.
  let layout: StridedLayout
  /// The number of boxes.
  let count: Int
  /// The strides of the output.
  private let packedStrides: [Int]
  /// The extents of a box that does not touch the far edges.
  private let tile: [Int]
  /// The number of boxes along each dimension.
  private let grid: [Int]
  /// The dimensions from the smallest stride to the largest.
  private let bySourceStride: [Int]

  /// Cuts `layout` into boxes of at most `budget` bytes, where an element is no longer than that.
  ///
  /// With `inOrder` every box is one run of the output and box n + 1 follows box n.
  init(_ layout: StridedLayout, budget: Int, inOrder: Bool) {
    self.layout = layout
    packedStrides = layout.packedStrides
    let strides = layout.strides
    bySourceStride = strides.indices.sorted { (strides[$0], $1) < (strides[$1], $0) }
    tile = Tiling.grow(layout, bySourceStride, budget: budget, inOrder: inOrder)
    grid = zip(layout.extents, tile).map { ($0 + $1 - 1) / $1 }
    count = grid.reduce(1, *)
  }

  /// The memory that fetching any box takes, in bytes, when boxes may have `budget` bytes packed.
  ///
  /// The eighth is room for the padding of ``BoxReading``.
  static func readingBudget(_ budget: Int) -> Int { budget + budget / 8 }

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
      outputOffset += origin * packedStrides[dimension]
    }
    let reading = BoxReading(of: extents, in: layout, bySourceStride)
    return Box(
      extents: extents, sourceOffset: sourceOffset, outputOffset: outputOffset, reading: reading,
      memoryLayout: StridedLayout(
        extents: extents, strides: reading.memoryStrides, unit: layout.unit))
  }

  /// The reads of a box: from where in the source, counted from the selection's first element, to
  /// where in memory.
  func reads(of box: Box) -> Odometer {
    let outer = box.reading.outer
    return Odometer(
      extents: outer.map { box.extents[$0] }, sourceStrides: outer.map { layout.strides[$0] },
      targetStrides: outer.map { box.reading.memoryStrides[$0] }, source: box.sourceOffset)
  }

  /// The writes of a box: from where among its packed elements to where in the output, counted from
  /// the selection's first element.
  func writes(of box: Box) -> Odometer {
    let outer = 0..<Tiling.scatteredDimensions(of: box.extents, in: layout)
    let packed = StridedLayout.packedStrides(box.extents, unit: layout.unit)
    return Odometer(
      extents: Array(box.extents[outer]), sourceStrides: Array(packed[outer]),
      targetStrides: Array(packedStrides[outer]), target: box.outputOffset)
  }

  /// The number of bytes that one of the writes of a box takes.
  func runByteCount(of box: Box) -> Int {
    let outer = Tiling.scatteredDimensions(of: box.extents, in: layout)
    return box.extents[outer...].reduce(layout.unit, *)
  }

  /// The number of outer dimensions over which a box of these extents is not one run of the output.
  private static func scatteredDimensions(of extents: [Int], in layout: StridedLayout) -> Int {
    (extents.indices.last { extents[$0] < layout.extents[$0] }) ?? 0
  }
}

extension Tiling {
  /// What a system call costs, in bytes that could have been copied in the same time.
  private static let callCost = 2048

  /// The largest extents worth having within `budget`.
  private static func grow(
    _ layout: StridedLayout, _ bySourceStride: [Int], budget: Int, inOrder: Bool
  ) -> [Int] {
    var extents = layout.extents.map { _ in 1 }
    var closed = layout.extents.map { _ in false }
    func canGrow(_ dimension: Int) -> Bool { extents[dimension] < layout.extents[dimension] }
    while true {
      var best: (cost: Double, dimension: Int, extents: [Int])?
      let forOutput = extents.indices.last(where: canGrow)
      let forSource =
        inOrder ? nil : bySourceStride.first { layout.strides[$0] > 0 && canGrow($0) }
      for dimension in [forOutput, forSource] {
        guard let dimension, !closed[dimension] else { continue }
        var grown = extents
        grown[dimension] = min(2 * grown[dimension], layout.extents[dimension])
        guard let cost = cost(of: grown, layout, bySourceStride, budget: budget) else {
          closed[dimension] = true
          continue
        }
        if cost < best?.cost ?? .infinity { best = (cost, dimension, grown) }
      }
      guard let best else { return extents }
      extents = best.extents
    }
  }

  /// What one byte of output costs with boxes of these extents, or `nil` when they are too large.
  private static func cost(
    of extents: [Int], _ layout: StridedLayout, _ bySourceStride: [Int], budget: Int
  ) -> Double? {
    let packed = extents.reduce(layout.unit, *)
    let reading = BoxReading(of: extents, in: layout, bySourceStride)
    guard packed <= budget, let read = reading.byteCount(within: readingBudget(budget)) else {
      return nil
    }
    let writes = extents.prefix(scatteredDimensions(of: extents, in: layout)).reduce(1, *)
    return Double(callCost * (reading.readCount + writes) + read + packed) / Double(packed)
  }
}
