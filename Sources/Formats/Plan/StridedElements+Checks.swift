internal import Bytes

extension StridedElements {
  /// Whether no element is selected.
  var isEmpty: Bool { shape.contains(0) }

  /// The reduced dimensions; there must be at least one element.
  var layout: StridedLayout {
    StridedLayout(packing: shape, strides: byteStrides, unit: elementByteCount)
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
