public import Graph

/// One run of bytes of an output file: where they come from and what is done to them on the way.
public enum Segment: Sendable {
  /// Bytes that are known already: headers and everything else small.
  case literal([UInt8])
  /// A stretch of a source region, as it is; `range` counts decoded bytes from the region's start.
  case copy(FileRegion, range: Range<Int>)
  /// Elements picked from a source region and packed in row-major order.
  case gather(FileRegion, StridedElements)
  /// Elements picked from a source region, packed in row-major order and cast to another type.
  case cast(FileRegion, StridedElements, ElementCast)
  /// Bytes put together from elements that lie packed in several regions.
  case assembly(Assembly)
  /// This many bytes of zero.
  case zeros(byteCount: Int)
  /// Bytes that depend on the checksums of records before them; there must be `byteCount` of them.
  case computed(byteCount: Int, @Sendable (RecordChecksums) -> [UInt8])

  /// How many bytes the segment adds to the output.
  public var byteCount: Int {
    switch self {
    case .literal(let bytes): bytes.count
    case .copy(_, let range): range.count
    case .gather(_, let elements): elements.byteCount
    case .cast(_, let elements, let cast): elements.byteCount(after: cast)
    case .assembly(let assembly): assembly.byteCount
    case .zeros(let byteCount), .computed(let byteCount, _): byteCount
    }
  }

  /// The source regions the bytes come from.
  package var regions: [FileRegion] {
    switch self {
    case .literal, .zeros, .computed: []
    case .copy(let region, _), .gather(let region, _), .cast(let region, _, _): [region]
    case .assembly(let assembly): assembly.pieces.map(\.region)
    }
  }
}
