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
