internal import CkptPlan

/// Counts through the indices of a box, last dimension fastest, and keeps two offsets in step.
///
/// An index costs an addition or two however many dimensions there are.
struct Odometer {
  private let extents: [Int]
  private let sourceStrides: [Int]
  private let targetStrides: [Int]
  private var index: [Int]
  /// Where the current index lies on the one side.
  private(set) var source: Int
  /// Where the current index lies on the other side.
  private(set) var target: Int

  /// An odometer at the first index of a box in which every extent is at least one.
  init(
    extents: [Int], sourceStrides: [Int], targetStrides: [Int], source: Int = 0, target: Int = 0
  ) {
    self.extents = extents
    self.sourceStrides = sourceStrides
    self.targetStrides = targetStrides
    self.index = [Int](repeating: 0, count: extents.count)
    self.source = source
    self.target = target
  }

  /// Goes to the next index; returns whether there was one.
  mutating func advance() -> Bool {
    var dimension = extents.count - 1
    while dimension >= 0 {
      index[dimension] += 1
      source += sourceStrides[dimension]
      target += targetStrides[dimension]
      if index[dimension] < extents[dimension] { return true }
      source -= extents[dimension] * sourceStrides[dimension]
      target -= extents[dimension] * targetStrides[dimension]
      index[dimension] = 0
      dimension -= 1
    }
    return false
  }
}

/// The order in which elements in memory are copied: planes of rows and columns, one by one.
///
/// Columns are the last dimension. Rows are the dimension with the smallest stride where that is
/// another one: source and target are then transposed, and a plane is walked in square blocks.
struct PlaneWalk {
  /// One dimension of a plane.
  struct Axis {
    /// The number of elements.
    var count = 1
    /// The distance in bytes between neighbors in the source.
    var stride = 0
    /// The distance in bytes between neighbors in the target.
    var target = 0
  }

  /// The side of a block: with 8-byte elements, the cache lines of a block's rows and columns take
  /// half of a 32 KiB first-level cache.
  private static let blockSide = 32

  /// The size of one element in bytes; where elements lie side by side, that of a run of them.
  let unit: Int
  /// The dimension along which the target is contiguous, or nearly.
  private(set) var columns = Axis()
  /// The dimension along which the source is (nearly) contiguous, if it is not that of the columns.
  private(set) var rows = Axis()
  /// The first plane; ``Odometer/advance()`` leads to the others.
  let start: Odometer

  /// The walk over all elements of `layout`.
  init(_ layout: StridedLayout) {
    var axes = layout.extents.indices.map {
      Axis(
        count: layout.extents[$0], stride: layout.strides[$0], target: layout.targetStrides[$0])
    }
    if let last = axes.last, last.stride == layout.unit, last.target == layout.unit {
      unit = last.count * layout.unit
      axes.removeLast()
    } else {
      unit = layout.unit
    }
    let last = axes.popLast() ?? Axis()
    columns = last
    let candidates = axes.indices.filter { 1..<max(last.stride, 1) ~= axes[$0].stride }
    if let nearest = candidates.min(by: { axes[$0].stride < axes[$1].stride }) {
      rows = axes.remove(at: nearest)
    }
    start = Odometer(
      extents: axes.map(\.count), sourceStrides: axes.map(\.stride),
      targetStrides: axes.map(\.target))
  }

  private var isTransposed: Bool { rows.count > 1 }
  /// The number of rows in a block.
  var rowsPerBlock: Int { isTransposed ? PlaneWalk.blockSide : 1 }
  /// The number of columns in a block.
  var columnsPerBlock: Int { isTransposed ? PlaneWalk.blockSide : columns.count }
}
