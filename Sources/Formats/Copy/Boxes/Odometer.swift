internal import CkptPlan

/// Counts through the indices of a box, the last dimension fastest, and tracks two offsets.
///
/// An index costs one or two additions, for any number of dimensions.
struct Odometer {
  private let extents: [Int]
  private let sourceStrides: [Int]
  private let targetStrides: [Int]
  private var index: [Int]
  /// The offset of the current index on one side.
  private(set) var source: Int
  /// The offset of the current index on the other side.
  private(set) var target: Int

  /// Creates an odometer at the first index of a box without empty dimensions.
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

  /// Goes to the next index.
  ///
  /// Returns whether there was one.
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
/// Columns are the last dimension. Rows are the dimension with the smallest stride, if that is
/// another one. Then source and target are transposed, and a plane is visited in square blocks.
struct PlaneWalk {
  /// One dimension of a plane.
  struct Axis {
    /// The number of elements.
    var count = 1
    /// The distance between adjacent elements in the source, in bytes.
    var stride = 0
    /// The distance between adjacent elements in the target, in bytes.
    var target = 0
  }

  /// The side of a block.
  ///
  /// With 8-byte elements, the cache lines of its rows and columns take half of a 32 KiB
  /// first-level cache.
  private static let blockSide = 32

  /// The size of one element in bytes; for adjacent elements, that of a run of them.
  let unit: Int
  /// The dimension along which the target is (nearly) contiguous.
  private(set) var columns = Axis()
  /// The dimension along which the source is (nearly) contiguous, if it is not that of the columns.
  private(set) var rows = Axis()
  /// The first plane; ``Odometer/advance()`` gives the others.
  let start: Odometer

  /// Creates the walk over all elements of `layout`.
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
