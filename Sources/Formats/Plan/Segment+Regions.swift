internal import Bytes
internal import Graph

extension Segment {
  /// The bytes of its region that the segment takes in one piece and in order, in whatever form it
  /// writes them; `nil` when it picks them from here and there.
  var stretch: Range<Int>? {
    switch self {
    case .literal, .computed: return nil
    case .copy(_, let range): return range
    case .gather(_, let elements):
      guard !elements.isEmpty else { return 0..<0 }
      guard elements.layout.isContiguous else { return nil }
      return elements.byteOffset..<elements.byteOffset + elements.byteCount
    }
  }

  /// Makes sure that the bytes the segment takes are inside `region`.
  ///
  /// - Throws: `malformed` when they are not.
  func validate(in region: FileRegion) throws(FormatError) {
    switch self {
    case .literal, .computed: return
    case .copy(_, let range):
      guard range.lowerBound >= 0, range.upperBound <= region.byteCount else {
        throw region.fault(
          .malformed, "bytes \(range) are taken from a storage of \(region.byteCount) bytes")
      }
    case .gather(_, let elements):
      do {
        try elements.validate(regionByteCount: region.byteCount)
      } catch {
        throw region.framed(error)
      }
    }
  }
}
