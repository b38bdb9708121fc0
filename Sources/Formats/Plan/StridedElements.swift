internal import CkptBase
internal import CkptGraph

/// The elements of a region that make up a tensor, and the changes to their bytes.
///
/// All numbers are in bytes. Strides can be zero (expanded tensors), and elements can be visited
/// more than once. The creator checks the packed size for overflow.
package struct StridedElements: Hashable, Sendable {
  /// The offset of the first element, in bytes from the start of the decoded region.
  package var byteOffset: Int
  /// The number of elements along each dimension, outermost first; empty for a scalar.
  package var shape: [Int]
  /// The distance in bytes between adjacent elements along each dimension; never negative.
  package var byteStrides: [Int]
  /// The size of one element in bytes: a power of two up to 16.
  package var elementByteCount: Int
  /// The width of the units whose bytes are reversed (big-endian sources), in bytes; 1 for none.
  package var swapWidth: Int
  /// The bits to flip in every element after swapping, one byte for each byte of the element in
  /// output order; empty for none.
  ///
  /// PyTorch's lazy negation and conjugation flip sign bits.
  package var flippedBits: [UInt8]

  /// Creates a strided selection of elements.
  package init(
    byteOffset: Int, shape: [Int], byteStrides: [Int], elementByteCount: Int, swapWidth: Int = 1,
    flippedBits: [UInt8] = []
  ) {
    self.byteOffset = byteOffset
    self.shape = shape
    self.byteStrides = byteStrides
    self.elementByteCount = elementByteCount
    self.swapWidth = swapWidth
    self.flippedBits = flippedBits
  }

  /// The size of the packed elements in bytes.
  package var byteCount: Int { shape.reduce(elementByteCount, *) }

  /// Returns the size of the packed elements after a cast, in bytes.
  func byteCount(after cast: ElementCast) -> Int { cast.byteCount(after: byteCount) }
}

extension ElementCast {
  /// Returns the size of `byteCount` bytes of whole elements after the cast, in bytes.
  package func byteCount(after byteCount: Int) -> Int {
    byteCount / source.byteCount * target.byteCount
  }
}

extension StridedElements {
  /// Whether the bytes of elements change.
  package var changesBytes: Bool { swapWidth > 1 || flippedBits.contains { $0 != 0 } }

  /// Whether no element is selected.
  package var isEmpty: Bool { shape.contains(0) }

  /// The reduced dimensions.
  ///
  /// There must be at least one element.
  package var layout: StridedLayout {
    StridedLayout(packing: shape, strides: byteStrides, unit: elementByteCount)
  }

  /// Checks that every element is inside a region of `regionByteCount` bytes.
  ///
  /// - Throws: `malformed` if one is not.
  func validate(regionByteCount: Int) throws(CheckpointError) {
    precondition([1, 2, 4, 8, 16].contains(elementByteCount), "no dtype has elements of this size")
    precondition([1, 2, 4, 8].contains(swapWidth) && elementByteCount % swapWidth == 0)
    precondition(flippedBits.isEmpty || flippedBits.count == elementByteCount)
    guard shape.count == byteStrides.count, byteOffset >= 0,
      shape.allSatisfy({ $0 >= 0 }), byteStrides.allSatisfy({ $0 >= 0 })
    else {
      throw CheckpointError(
        .malformed, "shape \(shape) with byte strides \(byteStrides) is not a view of memory")
    }
    guard !isEmpty else { return }
    var end = try byteOffset.adding(elementByteCount, orThrow: "a tensor's end")
    for (extent, stride) in zip(shape, byteStrides) {
      let reach = try (extent - 1).multiplied(by: stride, orThrow: "a tensor's extent")
      end = try end.adding(reach, orThrow: "a tensor's end")
    }
    guard end <= regionByteCount else {
      throw CheckpointError(
        .malformed, "the tensor ends at byte \(end), but the storage has \(regionByteCount) bytes")
    }
  }
}

/// Dimensions with strides in a source and a target, reduced to the fewest that visit the same
/// bytes in the same order.
///
/// Dimensions of one element are removed, and adjacent dimensions are merged if possible. With a
/// packed target, a contiguous tensor of any rank has one dimension, a transposed one two.
package struct StridedLayout: Sendable {
  /// The number of elements along each dimension, outermost first.
  package private(set) var extents: [Int] = []
  /// The distance in bytes between adjacent elements in the source.
  package private(set) var strides: [Int] = []
  /// The distance in bytes between adjacent elements in the target.
  package private(set) var targetStrides: [Int] = []
  /// The size of one element in bytes.
  package let unit: Int

  /// Reduces dimensions, outermost first, none of them empty.
  package init(extents: [Int], strides: [Int], targetStrides: [Int], unit: Int) {
    self.unit = unit
    for (dimension, extent) in extents.enumerated() where extent != 1 {
      let (stride, target) = (strides[dimension], targetStrides[dimension])
      let (span, overflow) = stride.multipliedReportingOverflow(by: extent)
      let (targetSpan, targetOverflow) = target.multipliedReportingOverflow(by: extent)
      if !overflow, !targetOverflow, self.strides.last == span,
        self.targetStrides.last == targetSpan
      {
        let last = self.extents.count - 1
        self.extents[last] *= extent
        self.strides[last] = stride
        self.targetStrides[last] = target
      } else {
        self.extents.append(extent)
        self.strides.append(stride)
        self.targetStrides.append(target)
      }
    }
  }

  /// Reduces dimensions whose elements are packed in row-major order in the target.
  init(packing extents: [Int], strides: [Int], unit: Int) {
    self.init(
      extents: extents, strides: strides,
      targetStrides: StridedLayout.packedStrides(extents, unit: unit), unit: unit)
  }

  /// The number of dimensions.
  var rank: Int { extents.count }

  /// Whether the elements are packed in both the source and the target.
  package var isContiguous: Bool {
    rank == 0 || rank == 1 && strides[0] == unit && targetStrides[0] == unit
  }

  /// The size of all elements in bytes.
  package var byteCount: Int { extents.reduce(unit, *) }

  /// The distance in bytes from the start of the first element to the end of the last one in the
  /// source.
  package var sourceSpan: Int { span(strides) }
  /// The same distance in the target.
  package var targetSpan: Int { span(targetStrides) }

  private func span(_ strides: [Int]) -> Int {
    zip(extents, strides).reduce(unit) { $0 + ($1.0 - 1) * $1.1 }
  }

  /// Returns the strides of `extents` elements of `unit` bytes, packed in row-major order.
  package static func packedStrides(_ extents: [Int], unit: Int) -> [Int] {
    var stride = unit
    var strides = extents
    for dimension in strides.indices.reversed() {
      strides[dimension] = stride
      stride *= extents[dimension]
    }
    return strides
  }
}
