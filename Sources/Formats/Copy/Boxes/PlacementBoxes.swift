internal import CkptPlan

/// The elements of a placement inside a window, as boxes: ranges along every dimension.
///
/// For each index of the loose dimensions, the elements inside the window are a range of numbers,
/// counted in the byte order of the assembly. Such a range is at most two boxes for each dimension:
/// from the middle of a row to its end, whole rows, whole planes, and back.
struct PlacementBoxes {
  /// One box.
  struct Box {
    /// Its elements.
    ///
    /// The source is the region, the target is the assembly.
    let layout: StridedLayout
    /// The distance from the first element in the region to that of the box, in bytes.
    let source: Int
    /// The offset of its first element in the assembly, in bytes.
    let target: Int
  }

  private let placement: Placement
  private let window: Range<Int>
  /// For each ordered dimension, the number of elements of one index along it.
  private let elementCounts: [Int]
  private var place: Odometer
  private var numbers = 0..<0
  private var isAtEnd = false

  /// Creates the boxes of `placement` in `window`.
  init(_ placement: Placement, in window: Range<Int>) {
    self.placement = placement
    self.window = window
    var count = 1
    elementCounts = placement.ordered.reversed().map { axis in
      defer { count *= axis.count }
      return count
    }.reversed()
    place = Odometer(
      extents: placement.loose.map(\.count), sourceStrides: placement.loose.map(\.source),
      targetStrides: placement.loose.map(\.stride), target: placement.reach.lowerBound)
    enter()
  }

  /// Returns the next box; `nil` at the end.
  mutating func next() -> Box? {
    while numbers.isEmpty {
      guard !isAtEnd, place.advance() else {
        isAtEnd = true
        return nil
      }
      enter()
    }
    return takeBox()
  }

  /// Finds the elements for the current index of the loose dimensions.
  private mutating func enter() {
    let first = count(below: window.lowerBound - placement.unit + 1 - place.target)
    numbers = first..<max(first, count(below: window.upperBound - place.target))
  }

  /// Returns the number of elements less than `offset` bytes after the first one.
  private func count(below offset: Int) -> Int {
    var count = 0
    var rest = offset
    for (axis, elementCount) in zip(placement.ordered, elementCounts) {
      guard rest > 0 else { return count }
      let index = (rest - 1) / axis.stride
      guard index < axis.count else { return count + axis.count * elementCount }
      count += index * elementCount
      rest -= index * axis.stride
    }
    return rest > 0 ? count + 1 : count
  }

  /// Takes the longest range of elements that is one box.
  private mutating func takeBox() -> Box {
    var (source, target) = (place.source, place.target)
    var rest = numbers.lowerBound
    var axes = placement.still
    for (dimension, axis) in placement.ordered.enumerated() {
      let elementCount = elementCounts[dimension]
      let index = rest / elementCount
      rest %= elementCount
      source += index * axis.source
      target += index * axis.stride
      if rest == 0, elementCount <= numbers.count {
        let count = min(axis.count - index, numbers.count / elementCount)
        axes.append(Placement.Axis(count: count, stride: axis.stride, source: axis.source))
        axes += placement.ordered[(dimension + 1)...]
        numbers = numbers.lowerBound + count * elementCount..<numbers.upperBound
        return box(axes, source, target)
      }
    }
    numbers = numbers.upperBound..<numbers.upperBound
    return box(axes, source, target)
  }

  private func box(_ axes: [Placement.Axis], _ source: Int, _ target: Int) -> Box {
    let layout = StridedLayout(
      extents: axes.map(\.count), strides: axes.map(\.source), targetStrides: axes.map(\.stride),
      unit: placement.unit)
    return Box(layout: layout, source: source, target: target)
  }
}

extension Placement {
  /// Returns the elements inside `window`, box by box.
  func boxes(in window: Range<Int>) -> PlacementBoxes { PlacementBoxes(self, in: window) }
}
