internal import CkptBase
internal import CkptGraph

/// The places of the elements of one piece of an assembly, with the dimensions in an order in which the
/// elements inside any window are a few boxes.
package struct Placement: Sendable {
  /// One dimension.
  package struct Axis: Sendable {
    /// The number of elements.
    package let count: Int
    /// The distance in bytes between neighbors in the assembly.
    package let stride: Int
    /// The distance in bytes between neighbors in the region.
    package let source: Int

    /// Makes an axis from its three numbers.
    package init(count: Int, stride: Int, source: Int) {
      self.count = count
      self.stride = stride
      self.source = source
    }
  }

  /// Dimensions along which elements do not move: all of them reach the same bytes.
  package let still: [Axis]
  /// Dimensions that do not fit among ``ordered``, as those of sliding windows.
  package let loose: [Axis]
  /// Dimensions from the largest stride to the smallest, each stride beyond the reach of all that
  /// follow: counting through them visits the bytes of the assembly in order.
  package let ordered: [Axis]
  /// The size of one element in bytes.
  package let unit: Int
  /// The bytes of the assembly from the first element's to the furthest one's.
  package let reach: Range<Int>

  /// Looks at a piece that has at least one element and all of them in an assembly.
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
    // The long dimensions first, since every combination of loose indices is handled by itself.
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

  /// Whether two elements may reach the same byte.
  package var mayOverlapItself: Bool { !still.isEmpty || !loose.isEmpty }

  /// Whether every byte of ``reach`` is reached exactly once.
  var isDense: Bool {
    !mayOverlapItself && reach.count == ordered.reduce(unit) { $0 * $1.count }
  }

  /// Whether the elements of any window are in the order in which the region has them.
  package var isInOrder: Bool {
    loose.isEmpty && still.isEmpty
      && zip(ordered, ordered.dropFirst()).allSatisfy { $0.source > $1.source }
  }
}
