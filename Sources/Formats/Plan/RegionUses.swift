internal import Bytes
internal import Graph

/// What all segments of a plan together do with each region.
///
/// A plan can have a hundred thousand regions, so nothing here holds a region itself.
struct RegionUses {
  /// What is done with one region.
  struct Use {
    /// Where the region is mentioned first.
    let mention: RegionMention
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
  init(_ plan: FilePlan) throws(FormatError) {
    self.plan = plan
    copyBefore = Array(repeating: -1, count: plan.segments.count)
    var numbers: [FileRegion.Identity: Int32] = [:]
    numbers.reserveCapacity(plan.segments.count)
    for (index, segment) in plan.segments.enumerated() {
      try segment.validate()
      for (piece, region) in segment.regions.enumerated() {
        let mention = RegionMention(segment: index, piece: piece)
        add(segment, index, of: region, toUse: number(of: region, mention, &numbers))
      }
    }
    for (index, region) in plan.inspectedRegions.enumerated() {
      try region.validate()
      let mention = RegionMention(segment: plan.segments.count + index)
      _ = number(of: region, mention, &numbers)
    }
  }

  private mutating func number(
    of region: FileRegion, _ mention: RegionMention, _ numbers: inout [FileRegion.Identity: Int32]
  ) -> Int {
    let next = Int32(uses.count)
    let number = numbers[FileRegion.Identity(region), default: next]
    if number == next {
      numbers[FileRegion.Identity(region)] = next
      uses.append(Use(mention: mention))
    }
    return Int(number)
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
    var copies: [(segment: Int, range: Range<Int>)] = []
    var segment = use.lastCopy ?? -1
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
