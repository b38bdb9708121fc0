internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// The uses of each region by all segments of a plan.
///
/// A plan can have a hundred thousand regions, so nothing here holds a region itself.
struct RegionIndex {
  /// The uses of one region.
  struct Use {
    /// The first mention of the region.
    let mention: RegionRef
    /// The last segment that copies a range of it, if there is one.
    fileprivate(set) var lastCopy: Int?
    /// Whether a segment uses the region in another way than copying all of it.
    fileprivate(set) var isTakenApart = false
  }

  /// The regions, in the order of their first mention.
  private(set) var uses: [Use] = []
  private let plan: FilePlan
  /// For each segment that copies a range, the previous one that copies a range of the same region.
  private var copyBefore: [Int32]

  /// Examines all segments of `plan`.
  ///
  /// - Throws: `malformed` or `truncated` if one needs missing bytes.
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

  /// Returns consecutive copies from the first byte of a region to its last; empty if some bytes
  /// are not copied.
  func copiesOfTheWhole(_ use: Use, byteCount: Int) -> [(segment: Int, range: Range<Int>)] {
    var segment = use.lastCopy ?? -1
    // Nearly all regions are copied once, as a whole.
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

/// A mention of a region in a plan; a plan can have a hundred thousand.
struct RegionRef: Sendable {
  private let segmentNumber: Int32
  private let pieceNumber: Int32

  /// Creates a mention by piece `piece` of a segment.
  ///
  /// The plan's `FilePlan.inspectedRegions` follow the last segment.
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
  /// Returns the region of a mention.
  func region(_ mention: RegionRef) -> FileRegion {
    mention.segment < segments.count
      ? segments[mention.segment].region(mention.piece)
      : inspectedRegions[mention.segment - segments.count]
  }
}
