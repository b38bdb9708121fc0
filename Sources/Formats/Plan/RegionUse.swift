internal import Bytes
internal import Graph

/// What all segments of a plan together do with one region.
struct RegionUse {
  /// The region.
  let region: FileRegion
  /// The first segment that mentions it; the number of segments when none does.
  let firstSegment: Int
  /// The stretches that segments take in one piece, which are not empty unless the region is.
  private(set) var copies: [(segment: Int, range: Range<Int>)] = []
  /// Whether a segment takes something else than the whole region as it is.
  private(set) var isTakenApart = false

  /// The regions of `plan` whose bytes must be checked or decoded, in the order of its segments.
  ///
  /// - Throws: `malformed` or `truncated` when a segment asks for bytes that are not there.
  static func all(in plan: FilePlan) throws(FormatError) -> [RegionUse] {
    var uses: [RegionUse] = []
    var numbers: [FileRegion.Identity: Int] = [:]
    func number(of region: FileRegion, first: Int) -> Int {
      let number = numbers[FileRegion.Identity(region), default: uses.count]
      if number == uses.count {
        numbers[FileRegion.Identity(region)] = number
        uses.append(RegionUse(region: region, firstSegment: first))
      }
      return number
    }
    for (index, segment) in plan.segments.enumerated() {
      guard let region = segment.region else { continue }
      try region.validate()
      try segment.validate(in: region)
      uses[number(of: region, first: index)].add(segment, number: index)
    }
    for region in plan.inspectedRegions {
      try region.validate()
      _ = number(of: region, first: plan.segments.count)
    }
    return uses
  }

  private init(region: FileRegion, firstSegment: Int) {
    self.region = region
    self.firstSegment = firstSegment
  }

  private mutating func add(_ segment: Segment, number: Int) {
    let range = segment.stretch
    if let range, !range.isEmpty || region.byteCount == 0 { copies.append((number, range)) }
    if case .copy = segment, range == 0..<region.byteCount { return }
    if range?.isEmpty != true { isTakenApart = true }
  }

  /// Copies that follow each other from the region's first byte to its last; empty when some bytes
  /// are not copied.
  var copiesOfTheWhole: [(segment: Int, range: Range<Int>)] {
    var end = 0
    var chain: [(segment: Int, range: Range<Int>)] = []
    let ordered = copies.sorted {
      ($0.range.lowerBound, -$0.range.count) < ($1.range.lowerBound, -$1.range.count)
    }
    for copy in ordered where copy.range.lowerBound == end {
      chain.append(copy)
      end = copy.range.upperBound
    }
    return end == region.byteCount ? chain : []
  }
}

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
