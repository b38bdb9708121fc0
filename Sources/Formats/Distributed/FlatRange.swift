/// Elements that follow each other in the row-major order of a box.
///
/// Processes that flatten parameters keep such ranges. A range is at most two boxes for each dimension
/// but the last: the rest of a row, whole rows, and the beginning of a row.
struct FlatRange {
  /// A box of the elements.
  struct Box: Hashable {
    /// The indices of its first element.
    var origin: [Int]
    /// The number of its elements along each dimension.
    var shape: [Int]
    /// The position of its first element in the range.
    var start: Int
  }

  /// The boxes in order, which together are the range.
  private(set) var boxes: [Box] = []

  /// Splits the elements with these numbers in a box of `shape`, which has all of them.
  init(_ range: Range<Int>, in shape: [Int]) {
    guard !range.isEmpty else { return }
    guard !shape.isEmpty else {
      boxes = [Box(origin: [], shape: [], start: 0)]
      return
    }
    add(range, in: shape[...], at: [], start: 0)
  }

  /// Adds the boxes of a range in the rows below the indices `outer`.
  private mutating func add(
    _ range: Range<Int>, in shape: ArraySlice<Int>, at outer: [Int], start: Int
  ) {
    let inner = shape.dropFirst()
    let row = inner.reduce(1, *)
    var place = range.lowerBound
    while place < range.upperBound {
      let index = place / row
      let here = start + place - range.lowerBound
      let rows = place % row == 0 ? (range.upperBound - place) / row : 0
      if rows > 0 {
        boxes.append(
          Box(
            origin: outer + [index] + inner.map { _ in 0 },
            shape: outer.map { _ in 1 } + [rows] + inner, start: here))
        place += rows * row
      } else {
        let end = min((index + 1) * row, range.upperBound)
        let base = index * row
        add(place - base..<end - base, in: inner, at: outer + [index], start: here)
        place = end
      }
    }
  }
}
