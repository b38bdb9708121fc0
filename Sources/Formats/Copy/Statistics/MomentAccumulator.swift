internal import CkptBase
internal import CkptGraph

/// The types of the two moments of a parameter, and the rule of Adam.
struct MomentPair: Hashable, Sendable {
  let shape: [Int]
  let first: DType
  let second: DType
  let rule: UpdateRule

  /// The number of elements that arrive of one moment before those of the other: whole blocks.
  static let windowCount = 32 * StatisticsKernels.blockCount
}

/// Takes in the elements of a parameter's two moments, window by window in turn, and makes statistics
/// of each and of the updates that Adam makes with them.
struct MomentAccumulator: Sendable {
  private let pair: MomentPair
  private var first: ElementAccumulator
  private var second: ElementAccumulator
  private var tree = BlockTree<UpdateSums>()
  private var rows: RowsWithoutUpdate?
  /// The elements of the first moment that wait for those of the second.
  private var window: [UInt8] = []
  /// The bytes of them that the second moment has caught up with.
  private var matched = 0
  private var elements = 0

  /// An accumulator for the moments of a parameter.
  init(_ pair: MomentPair) {
    self.pair = pair
    first = ElementAccumulator(pair.first, shape: pair.shape, keepsSketch: false)
    second = ElementAccumulator(pair.second, shape: pair.shape, keepsSketch: false)
    if pair.shape.count == 2, !pair.shape.contains(0) {
      rows = RowsWithoutUpdate(columns: pair.shape[1])
    }
  }

  /// Takes in the next block of the first moment.
  mutating func addFirst(_ bytes: RawSpan, by work: inout BlockWork) {
    if matched == window.count {
      window.removeAll(keepingCapacity: true)
      matched = 0
    }
    first.add(bytes, by: &work)
    window.append(copying: Span(_bytes: bytes))
  }

  /// Takes in the next block of the second moment, whose counterpart has arrived.
  mutating func addSecond(_ bytes: RawSpan, by work: inout BlockWork) {
    let summary = second.add(bytes, by: &work)
    let count = bytes.byteCount / pair.second.byteCount
    let end = matched + count * pair.first.byteCount
    StatisticsKernels.widen(
      window.span.raw.extracting(matched..<end), pair.first, into: &work.others)
    StatisticsKernels.widen(bytes, pair.second, into: &work.values)
    rows?.add(work.values.span.extracting(first: count), from: elements, summary)
    tree.append(sums(summary, count, &work))
    matched = end
    elements += count
  }

  /// The statistics of both moments and of the updates.
  consuming func finish() -> MomentStatistics {
    var updates = UpdateStatistics()
    updates.elements = elements
    updates.set(tree.finish() ?? UpdateSums(), by: pair.rule)
    if let rows {
      updates.rowsWithoutUpdate = rows.count
      updates.rowRangesWithoutUpdate = rows.ranges
    }
    return MomentStatistics(first: first.finish(), second: second.finish(), updates: updates)
  }

  /// The sums over a block, which has the first moment in `others` and the second in `values`.
  private func sums(_ second: BlockSummary, _ count: Int, _ work: inout BlockWork) -> UpdateSums {
    var sums = UpdateSums()
    sums.used = count
    // What is NaN or infinite in the first moment shows in the sum of its squares.
    if second.notFinite > 0 || second.sums.minimum < 0
      || !StatisticsKernels.squares(work.others.span.extracting(first: count)).isFinite
    {
      sums.used = setAside(count, &work, &sums)
      guard sums.used > 0 else { return sums }
    }
    if second.sums.minimum <= 0 { countZeros(&sums, work) }
    sumUp(&work.others, work.values, &sums)
    return sums
  }

  /// Sums up the elements that are used, and puts the updates in the place of the first moments.
  private func sumUp(_ moments: inout [Double], _ seconds: [Double], _ sums: inout UpdateSums) {
    sums.seconds = StatisticsKernels.sums(seconds.span.extracting(first: sums.used)).sum
    sums.firstSquares = StatisticsKernels.squares(moments.span.extracting(first: sums.used))
    (sums.belowEpsilon, sums.overBound) = StatisticsKernels.updates(
      of: &moments, seconds.span.extracting(first: sums.used), by: pair.rule)
    sums.updateSquares = StatisticsKernels.squares(moments.span.extracting(first: sums.used))
    let extremes = StatisticsKernels.extremes(moments.span.extracting(first: sums.used))
    sums.updateMaximum = max(extremes.maximum, -extremes.minimum)
  }

  /// Puts the elements that are not left out behind each other; returns how many these are.
  private func setAside(_ count: Int, _ work: inout BlockWork, _ sums: inout UpdateSums) -> Int {
    var used = 0
    for index in 0..<count {
      let (moment, second) = (work.others[index], work.values[index])
      if second < 0 { sums.secondNegative += 1 }
      guard moment.isFinite, second.isFinite, second >= 0 else { continue }
      work.others[used] = moment
      work.values[used] = second
      used += 1
    }
    return used
  }

  private func countZeros(_ sums: inout UpdateSums, _ work: BlockWork) {
    for index in 0..<sums.used where work.values[index] == 0 {
      sums.secondZero += 1
      if work.others[index] != 0 { sums.secondZeroFirstNonzero += 1 }
    }
  }
}

/// Statistics of the two moments of a parameter.
package struct MomentStatistics: Hashable, Sendable {
  /// The first moment.
  package var first: ElementStatistics
  /// The second moment.
  package var second: ElementStatistics
  /// The updates that Adam makes with them.
  package var updates: UpdateStatistics
}

/// Finds the rows of a second moment that have no element of the size of a normal `float32`.
///
/// Rounding keeps a second moment in `float32` from becoming zero when gradients end: it stays at a
/// subnormal number for ever.
struct RowsWithoutUpdate: Sendable {
  /// The number of such rows.
  private(set) var count = 0
  /// The runs of such rows, as many as are kept.
  private(set) var ranges: [ClosedRange<Int>] = []
  private let columns: Int
  /// Whether the row that has not ended has an update.
  private var isUpdated = false

  private static let smallest = 0x1p-126

  /// A search in rows of so many elements.
  init(columns: Int) { self.columns = columns }

  /// Looks at the next elements, the first of which has the number `first`.
  mutating func add(_ values: Span<Double>, from first: Int, _ summary: BlockSummary) {
    let allLarge =
      summary.notFinite == 0 && summary.sums.minimum >= Self.smallest
    for part in RowParts(of: values.count, from: first, columns: columns) {
      isUpdated = isUpdated || allLarge || Self.hasUpdate(values.extracting(part.range))
      guard part.column + part.range.count == columns else { continue }
      if !isUpdated { note(part.row) }
      isUpdated = false
    }
  }

  private static func hasUpdate(_ values: Span<Double>) -> Bool {
    for index in values.indices where !(values[index] < smallest) { return true }
    return false
  }

  private mutating func note(_ row: Int) {
    count += 1
    if let last = ranges.last, last.upperBound == row - 1 {
      ranges[ranges.count - 1] = last.lowerBound...row
    } else if ranges.count < UpdateStatistics.rangeLimit {
      ranges.append(row...row)
    }
  }
}
