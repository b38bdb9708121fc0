internal import CkptBase
internal import CkptGraph

/// Working memory for the elements of a block.
struct BlockWork: Sendable {
  /// The elements as doubles.
  var values = [Double](repeating: 0, count: StatisticsKernels.blockCount)
  /// Those of another tensor, or those that are finite.
  var others = [Double](repeating: 0, count: StatisticsKernels.blockCount)
}

/// The sums over the elements of a block.
struct BlockSummary {
  /// The sum of the finite elements.
  var sum = 0.0
  /// The number of elements that are NaN or infinite.
  var notFinite = 0
  var sums = ElementSums()
}

/// Takes in the elements of a tensor, block by block, and makes statistics of them.
struct ElementAccumulator: Sendable {
  private let dtype: DType
  private let range: FloatRange?
  private var statistics = ElementStatistics()
  private var tree = BlockTree<ElementSums>()
  /// The counts of ``StatisticsKernels/countExponents(_:in:)``.
  private var exponents: [Int]
  /// The counts of numbers below the smallest normal double, by their exponents from -1074 on.
  private var tinyExponents = [Int](repeating: 0, count: 52)
  private var matrix: MatrixSums?
  /// The sums of a sketch, not wrapped around; empty where none is wanted.
  private var sketch: [Double] = []

  /// The exponent of a double with its bias is larger by this.
  private static let bias = 1023

  /// Whether the elements of a type are numbers that there are statistics of.
  static func canMeasure(_ dtype: DType) -> Bool {
    switch NumericKind(dtype) {
    case .doubles, .integers: true
    case .pairs, .bits: false
    }
  }

  /// An accumulator for a tensor of that type and shape.
  init(_ dtype: DType, shape: [Int], keepsSketch: Bool) {
    precondition(Self.canMeasure(dtype))
    self.dtype = dtype
    range = FloatRange(dtype)
    exponents = [Int](
      repeating: 0, count: StatisticsKernels.exponentCount * StatisticsKernels.tableCount)
    matrix = MatrixSums(shape)
    if keepsSketch { sketch = [Double](repeating: 0, count: 2 * SketchKernel.count) }
  }

  /// Takes in the next block: as many elements as one has, or the last ones.
  @discardableResult
  mutating func add(_ bytes: RawSpan, by work: inout BlockWork) -> BlockSummary {
    let first = statistics.elements
    let count = bytes.byteCount / dtype.byteCount
    statistics.elements += count
    statistics.crc32 = CRC32.checksum(bytes, continuing: statistics.crc32)
    StatisticsKernels.widen(bytes, dtype, into: &work.values)
    let before = Marks(self)
    StatisticsKernels.countExponents(work.values.span.extracting(first: count), in: &exponents)
    let after = Marks(self)
    var summary = BlockSummary()
    summary.notFinite = after.notFinite - before.notFinite
    let zeros = after.tiny > before.tiny ? countZeros(work.values.span.extracting(first: count)) : 0
    if after.top > before.top { countLimits(work.values.span.extracting(first: count)) }
    var finite = count
    if summary.notFinite > 0 { finite = setAside(count, from: first, in: &work) }
    let squares = addSquares(work.values.span.extracting(first: count), from: first)
    if !sketch.isEmpty { addSketch(count, from: first, of: &work.values) }
    guard finite > 0 else { return summary }
    summary.sum =
      summary.notFinite > 0
      ? sumUp(work.others.span.extracting(first: finite), &summary.sums, hasZeros: zeros > 0)
      : sumUp(work.values.span.extracting(first: finite), &summary.sums, hasZeros: zeros > 0)
    summary.sums.squares = squares
    tree.append(summary.sums)
    return summary
  }

  /// The statistics of all elements.
  consuming func finish() -> ElementStatistics {
    if let sums = tree.finish() { statistics.set(sums) }
    if let matrix {
      statistics.rows = AxisNorms(squares: matrix.rows)
      statistics.columns = AxisNorms(squares: matrix.columns)
    }
    if !sketch.isEmpty { statistics.sketch = Sketch(unfolded: sketch) }
    var counts = tinyExponents
    for exponent in 1..<StatisticsKernels.exponentCount - 1 { counts.append(self.count(exponent)) }
    let lowest = 1 - Self.bias - tinyExponents.count
    statistics.histogram = MagnitudeHistogram(from: lowest, counts)
    if let range {
      statistics.subnormal = counts[..<(range.smallestExponent - lowest)].reduce(0, +)
      statistics.atLimit = statistics.atLimit ?? 0
    }
    return statistics
  }

  // MARK: Exponents

  /// The number of elements whose exponent, with its bias, is `exponent`.
  private func count(_ exponent: Int) -> Int {
    let start = exponent * StatisticsKernels.tableCount
    return exponents[start] + exponents[start + 1] + exponents[start + 2] + exponents[start + 3]
  }

  /// The counts of the exponents that call for a closer look.
  private struct Marks {
    let tiny: Int
    let top: Int
    let notFinite: Int

    init(_ accumulator: ElementAccumulator) {
      tiny = accumulator.count(0)
      notFinite = accumulator.count(StatisticsKernels.exponentCount - 1)
      top = accumulator.range.map { accumulator.count(Int($0.largest.exponent) + bias) } ?? 0
    }
  }

  /// Counts zeros, and numbers below the smallest normal double; returns the zeros.
  private mutating func countZeros(_ values: Span<Double>) -> Int {
    var zeros = 0
    for index in values.indices {
      let value = values[index]
      if value == 0 {
        zeros += 1
      } else if value.isSubnormal {
        tinyExponents[Int(value.exponent) + Self.bias - 1 + tinyExponents.count] += 1
      }
    }
    statistics.zeros += zeros
    return zeros
  }

  private mutating func countLimits(_ values: Span<Double>) {
    guard let range else { return }
    var count = 0
    for index in values.indices where abs(values[index]) == range.largest { count += 1 }
    statistics.atLimit = (statistics.atLimit ?? 0) + count
  }

  // MARK: Sums

  /// Counts elements that are NaN or infinite, puts zero in their places and the other elements behind
  /// each other; returns how many these are.
  private mutating func setAside(_ count: Int, from first: Int, in work: inout BlockWork) -> Int {
    var finite = 0
    for index in 0..<count {
      let value = work.values[index]
      if value.isFinite {
        work.others[finite] = value
        finite += 1
        continue
      }
      if value.isNaN { statistics.nan += 1 } else { statistics.infinite += 1 }
      statistics.firstNotFinite = statistics.firstNotFinite ?? first + index
      work.values[index] = 0
    }
    return finite
  }

  private mutating func addSquares(_ values: Span<Double>, from first: Int) -> Double {
    guard matrix != nil else { return StatisticsKernels.squares(values) }
    return matrix?.add(values, from: first) ?? 0
  }

  private mutating func addSketch(_ count: Int, from first: Int, of values: inout [Double]) {
    let unit = SketchKernel.count
    let whole = (count + unit - 1) / unit * unit
    for index in count..<whole { values[index] = 0 }
    SketchKernel.add(values.span.extracting(first: whole), from: first, to: &sketch)
  }

  /// Sums up finite elements, of which there are some; returns their sum.
  private func sumUp(
    _ values: Span<Double>, _ sums: inout ElementSums, hasZeros: Bool
  ) -> Double {
    let (sum, magnitude) = StatisticsKernels.sums(values)
    let extremes = StatisticsKernels.extremes(values)
    sums.count = values.count
    sums.mean = sum / Double(values.count)
    sums.magnitude = magnitude
    sums.minimum = extremes.minimum
    sums.maximum = extremes.maximum
    sums.smallest = hasZeros ? Self.smallest(values) : extremes.smallest
    // Rounding would give equal elements distances from their mean.
    guard extremes.minimum < extremes.maximum else {
      sums.mean = extremes.minimum
      return sum
    }
    let powers = StatisticsKernels.centralPowers(values, around: sums.mean)
    (sums.second, sums.third, sums.fourth) = powers
    return sum
  }

  /// The smallest absolute value that is not zero.
  private static func smallest(_ values: Span<Double>) -> Double {
    var smallest = Double.infinity
    for index in values.indices where values[index] != 0 {
      smallest = min(smallest, abs(values[index]))
    }
    return smallest
  }
}

/// The sums of squares over the rows and the columns of a matrix whose elements arrive in order.
struct MatrixSums: Sendable {
  /// The most rows, and the most columns, that a matrix may have for this: twice as many as the
  /// largest vocabularies.
  static let limit = 1 << 19

  private(set) var rows: [Double] = []
  private(set) var columns: [Double]

  /// The sums of a tensor of that shape; `nil` if it is no matrix, or has no elements, or too many rows
  /// or columns to keep a number for each.
  init?(_ shape: [Int]) {
    guard shape.count == 2, (1...Self.limit).contains(shape[0]), (1...Self.limit).contains(shape[1])
    else { return nil }
    columns = [Double](repeating: 0, count: shape[1])
    rows.reserveCapacity(shape[0])
  }

  /// Adds elements, the first of which has the number `first`; returns the sum of their squares.
  mutating func add(_ values: Span<Double>, from first: Int) -> Double {
    var total = 0.0
    for part in RowParts(of: values.count, from: first, columns: columns.count) {
      let squares = StatisticsKernels.squares(
        values.extracting(part.range), addedTo: &columns, from: part.column)
      if part.column == 0 { rows.append(0) }
      rows[rows.count - 1] += squares
      total += squares
    }
    return total
  }
}

/// The parts of a run of a matrix's elements that are each in one row.
struct RowParts: Sequence, IteratorProtocol {
  /// Elements of one row.
  struct Part {
    /// Their numbers in the run.
    let range: Range<Int>
    /// The number of the row.
    let row: Int
    /// The column of the first of them.
    let column: Int
  }

  private let count: Int
  private let first: Int
  private let columns: Int
  private var done = 0

  /// The parts of `count` elements, the first of which has the number `first`, of rows with so many
  /// columns.
  init(of count: Int, from first: Int, columns: Int) {
    self.count = count
    self.first = first
    self.columns = columns
  }

  mutating func next() -> Part? {
    guard done < count else { return nil }
    let (row, column) = (first + done).quotientAndRemainder(dividingBy: columns)
    let end = Swift.min(count, done + columns - column)
    defer { done = end }
    return Part(range: done..<end, row: row, column: column)
  }
}
