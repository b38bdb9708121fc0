/// What happens to the bytes of packed elements before they are written.
struct ElementChange: Sendable {
  private let swapWidth: Int
  private let flippedBits: [UInt8]

  /// The change that `elements` ask for, or `nil` when their bytes stay as they are.
  init?(_ elements: StridedElements) {
    guard elements.swapWidth > 1 || elements.flippedBits.contains(where: { $0 != 0 }) else {
      return nil
    }
    swapWidth = elements.swapWidth
    flippedBits = elements.flippedBits
  }

  /// Changes whole elements in place.
  func apply(to bytes: inout MutableRawSpan) {
    ElementKernels.swap(&bytes, width: swapWidth)
    ElementKernels.flip(&bytes, flippedBits)
  }
}
