/// A place where a plan mentions a region; a plan can have a hundred thousand.
struct RegionMention: Sendable {
  private let segmentNumber: Int32
  private let pieceNumber: Int32

  /// The mention by piece `piece` of a segment; behind the last segment follow the plan's
  /// ``FilePlan/inspectedRegions``.
  init(segment: Int, piece: Int = 0) {
    segmentNumber = Int32(segment)
    pieceNumber = Int32(piece)
  }

  /// The number of the segment.
  var segment: Int { Int(segmentNumber) }
  /// The number among the segment's regions.
  var piece: Int { Int(pieceNumber) }
}
