public import Graph

/// One run of bytes of an output file: where they come from and what is done to them on the way.
public enum Segment: Sendable {
  /// Bytes that are known already: headers and everything else small.
  case literal([UInt8])
  /// A stretch of a source region, as it is; `range` counts decoded bytes from the region's start.
  case copy(FileRegion, range: Range<Int>)
  /// Elements picked from a source region and packed in row-major order.
  case gather(FileRegion, StridedElements)
  /// Bytes that depend on the checksums of records before them; there must be `byteCount` of them.
  case computed(byteCount: Int, @Sendable (RecordChecksums) -> [UInt8])

  /// How many bytes the segment adds to the output.
  public var byteCount: Int {
    switch self {
    case .literal(let bytes): bytes.count
    case .copy(_, let range): range.count
    case .gather(_, let elements): elements.byteCount
    case .computed(let byteCount, _): byteCount
    }
  }

  /// The source region the bytes come from, if they come from one.
  var region: FileRegion? {
    switch self {
    case .literal, .computed: nil
    case .copy(let region, _), .gather(let region, _): region
    }
  }
}
