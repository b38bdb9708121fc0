internal import CkptBase
internal import CkptGraph

/// The positions of the elements of a piece in an assembly.
///
/// The dimensions are ordered so that the elements in any window are a few boxes.
package struct Placement: Sendable {
  /// One dimension.
  package struct Axis: Sendable {
    /// The number of elements.
    package let count: Int
    /// The distance in bytes between adjacent elements in the assembly.
    package let stride: Int
    /// The distance in bytes between adjacent elements in the region.
    package let source: Int

    /// Creates an axis.
    package init(count: Int, stride: Int, source: Int) {
      self.count = count
      self.stride = stride
      self.source = source
    }
  }

  /// The dimensions with stride zero: all of their elements cover the same bytes.
  package let still: [Axis]
  /// The dimensions that do not fit ``ordered``, such as those of sliding windows.
  package let loose: [Axis]
  /// The dimensions from the largest stride to the smallest.
  ///
  /// Each stride is beyond the extent of all that follow, so counting through them visits the bytes
  /// of the assembly in order.
  package let ordered: [Axis]
  /// The size of one element in bytes.
  package let unit: Int
  /// The bytes of the assembly from the first element to the last one.
  package let reach: Range<Int>

  /// Analyzes a piece with at least one element, all of them inside an assembly.
  package init(_ piece: Assembly.Piece) {
    let elements = piece.placement
    let unit = elements.elementByteCount
    let layout = StridedLayout(
      extents: elements.shape, strides: elements.byteStrides,
      targetStrides: piece.sourceStrides
        ?? StridedLayout.packedStrides(elements.shape, unit: unit),
      unit: unit)
    self.unit = unit
    reach = elements.byteOffset..<elements.byteOffset + layout.sourceSpan
    let axes = layout.extents.indices.map {
      Axis(
        count: layout.extents[$0], stride: layout.strides[$0], source: layout.targetStrides[$0])
    }
    still = axes.filter { $0.stride == 0 }
    var ordered: [Axis] = []
    var loose: [Axis] = []
    // The long dimensions come first, because every combination of loose indices is handled
    // separately.
    for axis in axes.sorted(by: { $0.count > $1.count }) where axis.stride > 0 {
      let place = ordered.firstIndex { $0.stride < axis.stride } ?? ordered.count
      var candidate = ordered
      candidate.insert(axis, at: place)
      if Placement.isOrdered(candidate, unit: unit) {
        ordered = candidate
      } else {
        loose.append(axis)
      }
    }
    self.ordered = ordered
    self.loose = loose
  }

  private static func isOrdered(_ axes: [Axis], unit: Int) -> Bool {
    var span = unit
    for axis in axes.reversed() {
      guard axis.stride >= span else { return false }
      span += (axis.count - 1) * axis.stride
    }
    return true
  }

  /// Whether two elements can cover the same byte.
  package var mayOverlapItself: Bool { !still.isEmpty || !loose.isEmpty }

  /// Whether every byte of ``reach`` is covered exactly once.
  var isDense: Bool {
    !mayOverlapItself && reach.count == ordered.reduce(unit) { $0 * $1.count }
  }

  /// Whether the elements of any window are in the order of the region.
  package var isInOrder: Bool {
    loose.isEmpty && still.isEmpty
      && zip(ordered, ordered.dropFirst()).allSatisfy { $0.source > $1.source }
  }
}
