internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// What all segments of a plan together do with each region.
///
/// A plan can have a hundred thousand regions, so nothing here holds a region itself.
struct RegionIndex {
  /// What is done with one region.
  struct Use {
    /// Where the region is mentioned first.
    let mention: RegionRef
    /// The last segment that takes a stretch of it in one piece, if there is one.
    fileprivate(set) var lastCopy: Int?
    /// Whether a segment takes something else than the whole region as it is.
    fileprivate(set) var isTakenApart = false
  }

  /// The regions in the order in which the plan mentions them.
  private(set) var uses: [Use] = []
  private let plan: FilePlan
  /// For each segment that takes a stretch, the one before it that takes one of the same region.
  private var copyBefore: [Int32]

  /// Looks through all segments of `plan`.
  ///
  /// - Throws: `malformed` or `truncated` when one asks for bytes that are not there.
  init(_ plan: FilePlan) throws(CheckpointError) {
    self.plan = plan
    copyBefore = Array(repeating: -1, count: plan.segments.count)
    var numbers: [FileRegion.Identity: Int32] = [:]
    numbers.reserveCapacity(plan.segments.count)
    for (index, segment) in plan.segments.enumerated() {
      try segment.validate()
      for piece in 0..<segment.regionCount {
        let region = segment.region(piece)
        let mention = RegionRef(segment: index, piece: piece)
        add(segment, index, of: region, toUse: number(of: region, mention, &numbers))
      }
    }
    for (index, region) in plan.inspectedRegions.enumerated() {
      try region.validate()
      let mention = RegionRef(segment: plan.segments.count + index)
      _ = number(of: region, mention, &numbers)
    }
  }

  private mutating func number(
    of region: FileRegion, _ mention: RegionRef, _ numbers: inout [FileRegion.Identity: Int32]
  ) -> Int {
    let identity = FileRegion.Identity(region)
    if let known = numbers[identity] { return Int(known) }
    numbers[identity] = Int32(uses.count)
    uses.append(Use(mention: mention))
    return uses.count - 1
  }

  private mutating func add(
    _ segment: Segment, _ index: Int, of region: FileRegion, toUse number: Int
  ) {
    let range = segment.stretch
    if let range, !range.isEmpty || region.byteCount == 0 {
      copyBefore[index] = Int32(uses[number].lastCopy ?? -1)
      uses[number].lastCopy = index
    }
    if case .copy = segment, range == 0..<region.byteCount { return }
    if range?.isEmpty != true { uses[number].isTakenApart = true }
  }

  /// Copies that follow each other from a region's first byte to its last; empty when some bytes
  /// are not copied.
  func copiesOfTheWhole(_ use: Use, byteCount: Int) -> [(segment: Int, range: Range<Int>)] {
    var segment = use.lastCopy ?? -1
    // Nearly all regions are copied once, and as a whole.
    if segment >= 0, copyBefore[segment] < 0 {
      guard let range = plan.segments[segment].stretch, range == 0..<byteCount else { return [] }
      return [(segment, range)]
    }
    var copies: [(segment: Int, range: Range<Int>)] = []
    while segment >= 0 {
      if let range = plan.segments[segment].stretch { copies.append((segment, range)) }
      segment = Int(copyBefore[segment])
    }
    copies.sort { ($0.range.lowerBound, -$0.range.count) < ($1.range.lowerBound, -$1.range.count) }
    var end = 0
    var chain: [(segment: Int, range: Range<Int>)] = []
    for copy in copies where copy.range.lowerBound == end {
      chain.append(copy)
      end = copy.range.upperBound
    }
    return end == byteCount ? chain : []
  }
}

/// A place where a plan mentions a region; a plan can have a hundred thousand.
struct RegionRef: Sendable {
  private let segmentNumber: Int32
  private let pieceNumber: Int32

  /// The mention by piece `piece` of a segment; behind the last segment follow the plan's
  /// `FilePlan.inspectedRegions`.
  init(segment: Int, piece: Int = 0) {
    segmentNumber = Int32(segment)
    pieceNumber = Int32(piece)
  }

  /// The number of the segment.
  var segment: Int { Int(segmentNumber) }
  /// The number among the segment's regions.
  var piece: Int { Int(pieceNumber) }
}

extension FilePlan {
  /// The region that is mentioned at a place.
  func region(_ mention: RegionRef) -> FileRegion {
    mention.segment < segments.count
      ? segments[mention.segment].region(mention.piece)
      : inspectedRegions[mention.segment - segments.count]
  }
}
