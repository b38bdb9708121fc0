package import CkptBase
package import CkptGraph
package import CkptPlan

/// Tensors that there will be statistics of, and the plan that brings their bytes.
package struct StatisticsPlan: Sendable {
  /// The bytes, in the order in which they are taken in.
  package private(set) var plan = FilePlan()
  private var items: [StatisticsItem] = []

  /// A plan for no tensors.
  package init() {}

  /// Whether the elements of a type are numbers that there are statistics of.
  package static func canMeasure(_ dtype: DType) -> Bool {
    ElementAccumulator.canMeasure(dtype)
  }

  /// The number of results that there will be.
  package var count: Int { items.count }

  /// Adds a tensor of a type that ``canMeasure(_:)`` and whose elements, packed, are `segments`.
  package mutating func append(
    _ segments: [Segment], _ dtype: DType, shape: [Int], keepsSketch: Bool
  ) {
    for segment in segments { plan.append(segment) }
    items.append(.elements(dtype, shape: shape, keepsSketch: keepsSketch))
  }

  /// Adds the two moments of a parameter, both of `shape`, which arrive in turn.
  ///
  /// A moment that no file has in one piece is packed into a temporary file first.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  package mutating func append(
    first: (segments: [Segment], dtype: DType), second: (segments: [Segment], dtype: DType),
    shape: [Int], rule: UpdateRule, budget: CopyBudget
  ) throws(CheckpointError) {
    let pair = MomentPair(shape: shape, first: first.dtype, second: second.dtype, rule: rule)
    let firsts = try Copies(of: first.segments, budget: budget)
    let seconds = try Copies(of: second.segments, budget: budget)
    for window in pair.windows {
      for segment in firsts.part(window, width: first.dtype.byteCount) { plan.append(segment) }
      for segment in seconds.part(window, width: second.dtype.byteCount) { plan.append(segment) }
    }
    items.append(.moments(pair))
  }

  /// Asks for the checksum of `region` to be verified too.
  package mutating func inspect(_ region: FileRegion) { plan.inspect(region) }

  /// Reads all tensors, and returns their statistics in the order in which they were added.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  package func run(
    _ budget: CopyBudget, progress: CopyEngine.Progress? = nil
  ) throws(CheckpointError) -> [StatisticsResult] {
    let output = StatisticsOutput(of: items)
    try CopyEngine(budget, progress: progress).run(plan, into: output)
    return output.results
  }
}

/// Copies that follow each other, any part of which can be taken.
private struct Copies {
  private let copies: [(region: FileRegion, range: Range<Int>)]

  /// The copies that `segments` are, or else one of a temporary file that they were packed into.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  init(of segments: [Segment], budget: CopyBudget) throws(CheckpointError) {
    var copies: [(region: FileRegion, range: Range<Int>)] = []
    for case .copy(let region, let range) in segments { copies.append((region, range)) }
    if copies.count < segments.count {
      var packing = FilePlan()
      for segment in segments { packing.append(segment) }
      let file = try TemporaryOutput.holding(packing, budget: budget)
      let whole = 0..<packing.byteCount
      copies = [(FileRegion(source: file, range: whole, name: "packed elements"), whole)]
    }
    self.copies = copies
  }

  /// The copies that are these elements of so many bytes each.
  func part(_ elements: Range<Int>, width: Int) -> [Segment] {
    let wanted = elements.lowerBound * width..<elements.upperBound * width
    var segments: [Segment] = []
    var start = 0
    for (region, range) in copies {
      let common = wanted.clamped(to: start..<start + range.count)
      if !common.isEmpty {
        let offset = range.lowerBound - start
        segments.append(
          .copy(region, range: common.lowerBound + offset..<common.upperBound + offset))
      }
      start += range.count
      if start >= wanted.upperBound { break }
    }
    return segments
  }
}
