public import Graph

/// One run of bytes of an output file: where they come from and what is done to them on the way.
public enum Segment: Sendable {
  /// Bytes that are known already: headers and everything else small.
  case literal([UInt8])
  /// A stretch of a source region, as it is; `range` counts decoded bytes from the region's start.
  case copy(FileRegion, range: Range<Int>)
  /// Elements picked from a source region and packed in row-major order.
  case gather(FileRegion, StridedElements)

  /// How many bytes the segment adds to the output.
  public var byteCount: Int {
    switch self {
    case .literal(let bytes): bytes.count
    case .copy(_, let range): range.count
    case .gather(_, let elements): elements.byteCount
    }
  }
}
