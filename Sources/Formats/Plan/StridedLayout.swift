internal import Bytes

/// Dimensions with their strides, reduced to the fewest that visit the same bytes in the same order.
///
/// Dimensions of one element are dropped and neighbours that could be one dimension are one: a
/// contiguous tensor of any rank has at most one dimension, a transposed one two.
struct StridedLayout: Sendable {
  /// The number of elements along each dimension, outermost first.
  private(set) var extents: [Int] = []
  /// The distance in bytes between neighbours along each dimension.
  private(set) var strides: [Int] = []
  /// The size of one element in bytes.
  let unit: Int

  /// Reduces the dimensions given, outermost first; none of them may be empty.
  init(extents: [Int], strides: [Int], unit: Int) {
    self.unit = unit
    for (extent, stride) in zip(extents, strides) where extent != 1 {
      let (span, overflow) = stride.multipliedReportingOverflow(by: extent)
      if !overflow, let outer = self.strides.last, outer == span {
        self.extents[self.extents.count - 1] *= extent
        self.strides[self.strides.count - 1] = stride
      } else {
        self.extents.append(extent)
        self.strides.append(stride)
      }
    }
  }

  /// The number of dimensions.
  var rank: Int { extents.count }

  /// Whether the elements lie one after the other.
  var isContiguous: Bool { rank == 0 || rank == 1 && strides[0] == unit }

  /// The size of the elements in bytes once they are packed.
  var byteCount: Int { extents.reduce(unit, *) }

  /// The distance in bytes from the start of the first element to the end of the furthest one.
  var span: Int { zip(extents, strides).reduce(unit) { $0 + ($1.0 - 1) * $1.1 } }

  /// The strides the elements have once they are packed in row-major order.
  var packedStrides: [Int] { StridedLayout.packedStrides(extents, unit: unit) }

  /// The strides of `extents` elements of `unit` bytes, packed in row-major order.
  static func packedStrides(_ extents: [Int], unit: Int) -> [Int] {
    var stride = unit
    var strides = extents
    for dimension in strides.indices.reversed() {
      strides[dimension] = stride
      stride *= extents[dimension]
    }
    return strides
  }
}

extension StridedElements {
  /// Whether no element is selected.
  var isEmpty: Bool { shape.contains(0) }

  /// The reduced dimensions; there must be at least one element.
  var layout: StridedLayout {
    StridedLayout(extents: shape, strides: byteStrides, unit: elementByteCount)
  }

  /// Makes sure that every element lies inside a region of `regionByteCount` bytes.
  ///
  /// - Throws: `malformed` when one does not.
  func validate(regionByteCount: Int) throws(FormatError) {
    precondition([1, 2, 4, 8, 16].contains(elementByteCount), "no dtype has such elements")
    precondition([1, 2, 4, 8].contains(swapWidth) && elementByteCount % swapWidth == 0)
    precondition(flippedBits.isEmpty || flippedBits.count == elementByteCount)
    guard shape.count == byteStrides.count, byteOffset >= 0,
      shape.allSatisfy({ $0 >= 0 }), byteStrides.allSatisfy({ $0 >= 0 })
    else {
      throw FormatError(
        .malformed, "shape \(shape) with byte strides \(byteStrides) is not a view of memory")
    }
    guard !isEmpty else { return }
    var end = try byteOffset.adding(elementByteCount, orThrow: "a tensor's end")
    for (extent, stride) in zip(shape, byteStrides) {
      let reach = try (extent - 1).multiplied(by: stride, orThrow: "a tensor's extent")
      end = try end.adding(reach, orThrow: "a tensor's end")
    }
    guard end <= regionByteCount else {
      throw FormatError(
        .malformed, "the tensor ends at byte \(end) of a storage of \(regionByteCount) bytes")
    }
  }
}
