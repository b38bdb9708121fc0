internal import Bytes
internal import Graph

extension Segment {
  /// The bytes of its region that the segment takes in one piece and in order, in whatever form it
  /// writes them; `nil` when it picks them from here and there.
  var stretch: Range<Int>? {
    switch self {
    case .literal, .zeros, .assembly, .computed: return nil
    case .copy(_, let range): return range
    case .gather(_, let elements), .cast(_, let elements, _):
      guard !elements.isEmpty else { return 0..<0 }
      guard elements.layout.isContiguous else { return nil }
      return elements.byteOffset..<elements.byteOffset + elements.byteCount
    }
  }

  /// Makes sure that the segment's regions are inside their files, and the bytes it takes inside
  /// its regions.
  ///
  /// - Throws: `truncated` or `malformed` when they are not.
  func validate() throws(FormatError) {
    switch self {
    case .literal, .computed: return
    case .zeros(let byteCount):
      guard byteCount >= 0 else {
        throw FormatError(.malformed, "a storage cannot have \(byteCount) bytes")
      }
    case .assembly(let assembly):
      try assembly.validate()
    case .copy(let region, let range):
      try region.validate()
      guard range.lowerBound >= 0, range.upperBound <= region.byteCount else {
        throw region.fault(
          .malformed, "bytes \(range) are taken from a storage of \(region.byteCount) bytes")
      }
    case .gather(let region, let elements):
      try elements.validate(in: region)
    case .cast(let region, let elements, let cast):
      precondition(elements.elementByteCount == cast.source.byteCount, "a cast is of its type")
      try elements.validate(in: region)
    }
  }
}

extension StridedElements {
  /// Makes sure that every element lies inside of `region`, and that inside its file.
  ///
  /// - Throws: `truncated` or `malformed` when one does not.
  fileprivate func validate(in region: FileRegion) throws(FormatError) {
    try region.validate()
    do throws(FormatError) {
      try validate(regionByteCount: region.byteCount)
    } catch {
      throw region.framed(error)
    }
  }
}
