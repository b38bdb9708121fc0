internal import CkptGraph

/// Numbers that say how the elements of a tensor are distributed.
///
/// NaN and infinite elements are counted and left out of everything else. Numbers over no elements are
/// `nil`. Sums are taken in double precision.
public struct ElementStatistics: Hashable, Sendable {
  /// The number of elements.
  public var elements = 0
  /// The number of elements that are zero.
  public var zeros = 0
  /// The number of NaNs.
  public var nan = 0
  /// The number of infinite elements.
  public var infinite = 0
  /// The place, in row-major order, of the first element that is NaN or infinite.
  public var firstNotFinite: Int?
  /// The number of elements that are not zero and below the smallest normal number of the type; `nil` for
  /// types that are not floating-point.
  public var subnormal: Int?
  /// The number of elements that are as large as the type's largest number; `nil` for types that are not
  /// floating-point.
  public var atLimit: Int?
  /// The smallest element.
  public var minimum: Double?
  /// The largest element.
  public var maximum: Double?
  /// The smallest absolute value that is not zero.
  public var smallest: Double?
  /// The mean.
  public var mean: Double?
  /// The mean of the absolute values.
  public var meanMagnitude: Double?
  /// The standard deviation, with the number of elements as divisor.
  public var standardDeviation: Double?
  /// The square root of the mean square.
  public var rootMeanSquare: Double?
  /// The square root of the sum of the squares.
  public var norm = 0.0
  /// The fourth central moment by the square of the second: 3 for a normal distribution; `nil` if all
  /// elements are equal.
  public var kurtosis: Double?
  /// The number of elements of each order of magnitude; `nil` if all are zero.
  public var histogram: MagnitudeHistogram?
  /// The norms of the rows of a matrix.
  public var rows: AxisNorms?
  /// The norms of the columns of a matrix.
  public var columns: AxisNorms?
  /// The CRC-32 of the elements, packed in row-major order and little-endian.
  public var crc32: UInt32 = 0
  /// The sketch, if it was asked for.
  public var sketch: Sketch?

  /// The statistics of no elements.
  public init() {}

  /// The number of elements that are neither NaN nor infinite.
  public var finite: Int { elements - nan - infinite }

  /// Takes over sums.
  mutating func set(_ sums: ElementSums) {
    guard sums.count > 0 else { return }
    let count = Double(sums.count)
    minimum = sums.minimum
    maximum = sums.maximum
    smallest = sums.smallest.isInfinite ? nil : sums.smallest
    mean = sums.mean
    meanMagnitude = sums.magnitude / count
    let variance = sums.second / count
    standardDeviation = variance.squareRoot()
    rootMeanSquare = (sums.squares / count).squareRoot()
    norm = sums.squares.squareRoot()
    // The square of a small variance can underflow, and the quotient of quotients does not.
    kurtosis = variance > 0 ? sums.fourth / sums.second / sums.second * count : nil
  }
}

/// Counts of elements by the exponent of two: ⌊log2 |x|⌋.
public struct MagnitudeHistogram: Hashable, Sendable {
  /// The exponent of the first count, which is not zero.
  public var first: Int
  /// The counts of exponents one after the other; the last is not zero.
  public var counts: [Int]

  /// A histogram from its parts.
  public init(first: Int, counts: [Int]) {
    self.first = first
    self.counts = counts
  }

  /// A histogram of counts of which the first belongs to the exponent `first`; `nil` if all are zero.
  init?(from first: Int, _ counts: [Int]) {
    guard let start = counts.firstIndex(where: { $0 > 0 }),
      let end = counts.lastIndex(where: { $0 > 0 })
    else { return nil }
    self.first = first + start
    self.counts = Array(counts[start...end])
  }
}

/// Numbers about the norms of the rows, or columns, of a matrix.
public struct AxisNorms: Hashable, Sendable {
  /// The number of rows.
  public var count: Int
  /// The number of rows of zeros.
  public var zero: Int
  /// The smallest norm.
  public var minimum: Double
  /// The lower of the two norms in the middle.
  public var median: Double
  /// The largest norm.
  public var maximum: Double
  /// The square root of the mean square of the norms.
  public var rootMeanSquare: Double
  /// The first row of the smallest norm.
  public var minimumPlace: Int
  /// The first row of the largest norm.
  public var maximumPlace: Int

  /// Norms from their parts.
  public init(
    count: Int, zero: Int, minimum: Double, median: Double, maximum: Double,
    rootMeanSquare: Double, minimumPlace: Int, maximumPlace: Int
  ) {
    self.count = count
    self.zero = zero
    self.minimum = minimum
    self.median = median
    self.maximum = maximum
    self.rootMeanSquare = rootMeanSquare
    self.minimumPlace = minimumPlace
    self.maximumPlace = maximumPlace
  }

  /// The numbers about the square roots of `squares`; `nil` without any.
  init?(squares: [Double]) {
    guard !squares.isEmpty else { return nil }
    count = squares.count
    zero = squares.count { $0 == 0 }
    var (low, high) = (0, 0)
    var sum = 0.0
    for (place, square) in squares.enumerated() {
      if square < squares[low] { low = place }
      if square > squares[high] { high = place }
      sum += square
    }
    minimumPlace = low
    maximumPlace = high
    minimum = squares[low].squareRoot()
    maximum = squares[high].squareRoot()
    median = squares.sorted()[(squares.count - 1) / 2].squareRoot()
    rootMeanSquare = (sum / Double(squares.count)).squareRoot()
  }
}

/// The range of numbers that a floating-point type has.
struct FloatRange {
  /// The exponent of two of the smallest normal number.
  let smallestExponent: Int
  /// The largest finite number.
  let largest: Double

  /// The range of a type; `nil` for one that is not floating-point.
  ///
  /// The 8-bit types are those of `c10/util/Float8_*.h`.
  init?(_ dtype: DType) {
    switch dtype {
    case .float64: (smallestExponent, largest) = (-1022, .greatestFiniteMagnitude)
    case .float32: (smallestExponent, largest) = (-126, Double(Float.greatestFiniteMagnitude))
    case .bfloat16: (smallestExponent, largest) = (-126, 0x1.fep127)
    case .float16: (smallestExponent, largest) = (-14, 65504)
    case .float8_e5m2: (smallestExponent, largest) = (-14, 57344)
    case .float8_e4m3fn: (smallestExponent, largest) = (-6, 448)
    case .float8_e5m2fnuz: (smallestExponent, largest) = (-15, 57344)
    case .float8_e4m3fnuz: (smallestExponent, largest) = (-7, 240)
    case .float8_e8m0fnu: (smallestExponent, largest) = (-127, 0x1p127)
    default: return nil
    }
  }
}
