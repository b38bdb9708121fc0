internal import CkptBase
internal import CkptGraph

/// The inner loops that sum up elements, which were widened to doubles.
///
/// Sums of doubles have eight lanes, and the lanes are added in their order at the end of a block. No
/// loop knows where a buffer ended or how many threads there are, so the sums are the same bits
/// always. Each loop has few enough sums that they stay in the sixteen registers of baseline x86-64.
enum StatisticsKernels {
  /// The number of elements of a block: two arrays of doubles of that length fit the first-level
  /// cache.
  static let blockCount = 2048
  /// The number of values that the exponent of a double can have, with its bias.
  static let exponentCount = 1 << 11
  /// The number of tables that exponents are counted in, in turn: counting one value twice in a
  /// row would wait for the first store.
  static let tableCount = 4

  /// Writes the elements of `bytes` to the start of `values` as doubles.
  static func widen(_ bytes: RawSpan, _ dtype: DType, into values: inout [Double]) {
    var span = values.mutableSpan
    // Safe: any bits are doubles.
    var target = unsafe span.mutableBytes
    WideningKernels.widen(bytes, dtype, into: &target)
  }

  /// The sum of `values`, and that of their absolute values.
  static func sums(_ values: Span<Double>) -> (sum: Double, magnitude: Double) {
    var (sum, magnitude) = (SIMD8<Double>(), SIMD8<Double>())
    let wide = values.count & ~7
    var index = 0
    while index < wide {
      let value = load(values, index)
      sum += value
      magnitude += absolute(value)
      index += 8
    }
    while index < values.count {
      sum[index - wide] += values[index]
      magnitude[index - wide] += abs(values[index])
      index += 1
    }
    return (inOrder(sum), inOrder(magnitude))
  }

  /// The sum of the squares of `values`.
  static func squares(_ values: Span<Double>) -> Double {
    var sum = SIMD8<Double>()
    let wide = values.count & ~7
    var index = 0
    while index < wide {
      let value = load(values, index)
      sum += value * value
      index += 8
    }
    while index < values.count {
      sum[index - wide] += values[index] * values[index]
      index += 1
    }
    return inOrder(sum)
  }

  /// The sum of the squares of `values`, each of which is also added to a sum of its own: the first
  /// to `columns[first]`.
  static func squares(
    _ values: Span<Double>, addedTo columns: inout [Double], from first: Int
  ) -> Double {
    precondition(first >= 0 && first + values.count <= columns.count)
    var sum = SIMD8<Double>()
    let wide = values.count & ~7
    var span = columns.mutableSpan
    // Safe: any bits are doubles.
    var bytes = unsafe span.mutableBytes
    var index = 0
    while index < wide {
      let value = load(values, index)
      let square = value * value
      sum += square
      let offset = 8 * (first + index)
      // Safe: the precondition says that there are as many columns behind `first` as values.
      let column = unsafe bytes.bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: offset, as: SIMD8<Double>.self)
      unsafe bytes.storeBytes(
        of: column + square, toUncheckedByteOffset: offset, as: SIMD8<Double>.self)
      index += 8
    }
    while index < values.count {
      let square = values[index] * values[index]
      sum[index - wide] += square
      columns[first + index] += square
      index += 1
    }
    return inOrder(sum)
  }

  /// The smallest and the largest of `values`, of which there are some and none is NaN, and the
  /// smallest absolute value.
  static func extremes(
    _ values: Span<Double>
  ) -> (minimum: Double, maximum: Double, smallest: Double) {
    var low = SIMD8(repeating: values[0])
    var high = low
    var small = absolute(low)
    let wide = values.count & ~7
    var index = 0
    while index < wide {
      let value = load(values, index)
      low.replace(with: value, where: value .< low)
      high.replace(with: value, where: value .> high)
      let size = absolute(value)
      small.replace(with: size, where: size .< small)
      index += 8
    }
    var (minimum, maximum, smallest) = (low.min(), high.max(), small.min())
    while index < values.count {
      minimum = min(minimum, values[index])
      maximum = max(maximum, values[index])
      smallest = min(smallest, abs(values[index]))
      index += 1
    }
    return (minimum, maximum, smallest)
  }

  /// The sums of the second, third and fourth powers of the distances of `values` from `mean`.
  static func centralPowers(
    _ values: Span<Double>, around mean: Double
  ) -> (second: Double, third: Double, fourth: Double) {
    var (second, third, fourth) = (SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>())
    let center = SIMD8(repeating: mean)
    let wide = values.count & ~7
    var index = 0
    while index < wide {
      let distance = load(values, index) - center
      let square = distance * distance
      second += square
      third += square * distance
      fourth += square * square
      index += 8
    }
    while index < values.count {
      let distance = values[index] - mean
      let square = distance * distance
      second[index - wide] += square
      third[index - wide] += square * distance
      fourth[index - wide] += square * square
      index += 1
    }
    return (inOrder(second), inOrder(third), inOrder(fourth))
  }

  /// Counts the exponents of `values` as they stand in a double.
  ///
  /// That of zero is 0, and 2047 stands for infinities and NaN. The counts of one exponent are
  /// neighbors in `tables`.
  static func countExponents(_ values: Span<Double>, in tables: inout [Int]) {
    precondition(tables.count == exponentCount * tableCount)
    // Safe: an exponent has eleven bits, and there is an entry for every one in each table.
    unsafe tables.withUnsafeMutableBufferPointer { tables in
      let wide = values.count & ~3
      var index = 0
      while index < wide {
        unsafe tables[entry(values, index, 0)] &+= 1
        unsafe tables[entry(values, index, 1)] &+= 1
        unsafe tables[entry(values, index, 2)] &+= 1
        unsafe tables[entry(values, index, 3)] &+= 1
        index += 4
      }
      while index < values.count {
        unsafe tables[entry(values, index, 0)] &+= 1
        index += 1
      }
    }
  }

  /// The place of the exponent of an element in one of four tables.
  @inline(__always)
  private static func entry(_ values: Span<Double>, _ index: Int, _ table: Int) -> Int {
    // Safe: the callers' loops end before the last element of a table.
    let bits = unsafe values[unchecked: index + table].bitPattern
    return Int(truncatingIfNeeded: bits >> 52 & 0x7ff) &* tableCount &+ table
  }

  /// Replaces `moments` by the steps that Adam makes with them and the second moments.
  ///
  /// The steps are those before the learning rate. None of the second moments is negative or NaN.
  ///
  /// - Returns: the number of elements whose √v̂ is below epsilon, and of those that are larger than
  ///   ``UpdateRule/bound`` allows.
  static func updates(
    of moments: inout [Double], _ seconds: Span<Double>, by rule: UpdateRule
  ) -> (belowEpsilon: Int, overBound: Int) {
    precondition(seconds.count <= moments.count)
    let (scale, secondScale, epsilon) = (rule.firstScale, rule.secondScale, rule.epsilon)
    let (limit, slack) = (rule.rootLimit, UpdateRule.slack)
    var (below, over) = (0, 0)
    // Safe: the loop ends before the last element of the shorter one.
    unsafe moments.withUnsafeMutableBufferPointer { moments in
      for index in 0..<seconds.count {
        let root = unsafe (seconds[unchecked: index] * secondScale).squareRoot()
        let moment = unsafe moments[index]
        below &+= root < epsilon ? 1 : 0
        over &+= abs(moment) > limit * root + slack ? 1 : 0
        unsafe moments[index] = moment * scale / (root + epsilon)
      }
    }
    return (below, over)
  }

  // MARK: Lanes

  @inline(__always)
  private static func load(_ values: Span<Double>, _ index: Int) -> SIMD8<Double> {
    // Safe: the callers' loops take eight elements where there are as many; any bits are doubles.
    unsafe values.bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: 8 &* index, as: SIMD8<Double>.self)
  }

  @inline(__always)
  private static func absolute(_ value: SIMD8<Double>) -> SIMD8<Double> {
    // Safe: both types are 64 bytes of which any are valid.
    unsafe unsafeBitCast(
      unsafeBitCast(value, to: SIMD8<UInt64>.self) & SIMD8(repeating: 1 << 63 - 1),
      to: SIMD8<Double>.self)
  }

  /// The sum of the lanes, from the first to the last.
  private static func inOrder(_ lanes: SIMD8<Double>) -> Double {
    lanes[0] + lanes[1] + lanes[2] + lanes[3] + lanes[4] + lanes[5] + lanes[6] + lanes[7]
  }
}
