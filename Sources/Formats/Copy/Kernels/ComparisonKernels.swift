package import CkptGraph

/// A way to compare arriving elements with expected ones.
package protocol ComparisonKernel: Sendable {
  /// The differences between the elements of a run.
  associatedtype Findings: ComparisonFindings
  /// The working memory for a comparison, in bytes.
  static var workingByteCount: Int { get }
  /// The size of an arriving element in bytes.
  var arrivingByteCount: Int { get }
  /// The size of an expected element in bytes.
  var expectedByteCount: Int { get }
  /// Compares whole elements; `first` is the number of the first one in its run.
  func compare(
    _ arriving: RawSpan, _ expected: RawSpan, from first: Int, by work: inout MutableRawSpan,
    _ findings: inout Findings)
}

/// The differences that a kernel finds, for pieces in any order.
package protocol ComparisonFindings: Hashable, Sendable {
  /// Creates findings without differences.
  init()
  /// Whether nothing differs.
  var isEmpty: Bool { get }
  /// Merges the differences of other elements, whose numbers increase by `offset`.
  mutating func merge(_ other: Self, shiftedBy offset: Int)
}

/// Compares bytes for equality.
package struct ByteComparison: ComparisonKernel {
  /// Creates a kernel for bytes.
  package init() {}

  /// Zero.
  package static var workingByteCount: Int { 0 }
  /// An element is a byte.
  package var arrivingByteCount: Int { 1 }
  /// An element is a byte.
  package var expectedByteCount: Int { 1 }

  /// Compares bytes; `first` is the number of the first one in its run.
  package func compare(
    _ arriving: RawSpan, _ expected: RawSpan, from first: Int, by work: inout MutableRawSpan,
    _ findings: inout ByteDifferences
  ) {
    guard let found = ElementKernels.differences(arriving, expected) else { return }
    findings.merge(ByteDifferences(first: found.first, count: found.count), shiftedBy: first)
  }
}

/// The differences between two runs of bytes.
package struct ByteDifferences: ComparisonFindings {
  /// The number of the first different byte; 0 if none differs.
  package private(set) var first = 0
  /// The number of different bytes.
  package private(set) var count = 0

  /// Creates findings without differences.
  package init() {}

  /// Creates findings of `count` different bytes.
  package init(first: Int, count: Int) {
    self.first = first
    self.count = count
  }

  /// Whether nothing differs.
  package var isEmpty: Bool { count == 0 }

  /// Merges the differences of other bytes, whose numbers increase by `offset`.
  package mutating func merge(_ other: ByteDifferences, shiftedBy offset: Int) {
    guard !other.isEmpty else { return }
    first = isEmpty ? other.first + offset : min(first, other.first + offset)
    count += other.count
  }
}

/// Compares elements as numbers, of one or two dtypes.
package struct ElementComparison: ComparisonKernel {
  private let arriving: DType
  private let expected: DType

  /// Creates a kernel for dtypes that ``areComparable(_:_:)``.
  package init(arriving: DType, expected: DType) {
    precondition(NumericKind.areComparable(arriving, expected))
    self.arriving = arriving
    self.expected = expected
  }

  /// Whether elements of two dtypes can be compared: as numbers, or as bits of one dtype.
  package static func areComparable(_ first: DType, _ second: DType) -> Bool {
    NumericKind.areComparable(first, second)
  }

  /// The memory for the doubles that elements are widened to.
  package static var workingByteCount: Int { DifferenceKernels.workingByteCount }
  /// The size of an arriving element in bytes.
  package var arrivingByteCount: Int { arriving.byteCount }
  /// The size of an expected element in bytes.
  package var expectedByteCount: Int { expected.byteCount }

  /// Compares elements; `first` is the number of the first one in its run.
  package func compare(
    _ arrivingBytes: RawSpan, _ expectedBytes: RawSpan, from first: Int,
    by work: inout MutableRawSpan, _ findings: inout ElementDifferences
  ) {
    DifferenceKernels.compare(
      arrivingBytes, arriving, expectedBytes, expected, first: first, by: &work, &findings)
  }
}

/// The numeric differences between the elements of two tensors.
///
/// All elements are widened to double precision first. For two integer types, one of them with 64
/// bits, differences are exact before they are rounded to double.
public struct ElementDifferences: ComparisonFindings {
  /// The largest of several numbers, with its element.
  public struct Maximum: Hashable, Sendable {
    /// The number.
    public var value: Double
    /// The number of the element in row-major order; the first one with the largest value.
    public var element: Int

    /// Whether this is the larger of two, or as large and earlier.
    func precedes(_ other: Maximum) -> Bool {
      value != other.value ? value > other.value : element < other.element
    }

    fileprivate func shifted(by offset: Int) -> Maximum {
      Maximum(value: value, element: element + offset)
    }
  }

  /// The number of elements with different values.
  ///
  /// NaN equals NaN, and zero equals zero, whatever the sign.
  public var count = 0
  /// The number of elements with equal values but different bits: signs of zeros, payloads of NaNs.
  public var bitCount = 0
  /// The number of elements that are NaN on one side only; they count as different, without a size.
  public var nanCount = 0
  /// The largest |a − b|: infinite if one is infinite and the other is not the same infinity, and
  /// the absolute value of a complex difference; `nil` if no values differ or they are not numbers.
  public var absolute: Maximum?
  /// The largest |a − b| / max(|a|, |b|), infinite if the difference is.
  public var relative: Maximum?

  /// The sums of squares of differences and elements; zeros for types without them.
  var squares = SquareSums()

  /// The norm of the difference divided by the larger norm of the two tensors; `nil` for complex
  /// numbers, 64-bit integers and types that are not numbers, and if it is not finite.
  public var relativeChange: Double? {
    let size = max(squares.left, squares.right)
    guard size > 0, size.isFinite, squares.difference.isFinite else { return nil }
    return (squares.difference / size).squareRoot()
  }

  /// Whether neither values nor bits differ.
  public var isEmpty: Bool { count == 0 && bitCount == 0 }

  /// Creates findings without differences.
  public init() {}

  /// Adds a difference of size `distance` between elements of size `magnitude`.
  mutating func add(_ distance: Double, of magnitude: Double, at element: Int) {
    count += 1
    Self.raise(&absolute, Maximum(value: distance, element: element))
    let ratio = distance.isInfinite ? distance : distance / magnitude
    Self.raise(&relative, Maximum(value: ratio, element: element))
  }

  /// Adds an element that is NaN on one side.
  mutating func addNaN() {
    count += 1
    nanCount += 1
  }

  /// Merges the differences of other elements, whose numbers increase by `offset`.
  public mutating func merge(_ other: ElementDifferences, shiftedBy offset: Int) {
    count += other.count
    bitCount += other.bitCount
    nanCount += other.nanCount
    squares.difference += other.squares.difference
    squares.left += other.squares.left
    squares.right += other.squares.right
    if let maximum = other.absolute { Self.raise(&absolute, maximum.shifted(by: offset)) }
    if let maximum = other.relative { Self.raise(&relative, maximum.shifted(by: offset)) }
  }

  private static func raise(_ known: inout Maximum?, _ new: Maximum) {
    guard let old = known else { return known = new }
    if new.precedes(old) { known = new }
  }
}

/// The sums of squares of two runs of elements and of their differences.
struct SquareSums: Hashable, Sendable {
  /// The sum for the differences.
  var difference = 0.0
  /// The sum for the arriving elements.
  var left = 0.0
  /// The sum for the expected elements.
  var right = 0.0
}
