package import CkptGraph

/// A way to compare elements that arrive with elements that are expected.
package protocol ComparisonKernel: Sendable {
  /// The differences between the elements of a run.
  associatedtype Findings: ComparisonFindings
  /// The working memory that a comparison needs, in bytes.
  static var workingByteCount: Int { get }
  /// The size of an element that arrives, in bytes.
  var arrivingByteCount: Int { get }
  /// The size of an element that is expected, in bytes.
  var expectedByteCount: Int { get }
  /// Compares whole elements, the first of which has the number `first` in its run.
  func compare(
    _ arriving: RawSpan, _ expected: RawSpan, from first: Int, by work: inout MutableRawSpan,
    _ findings: inout Findings)
}

/// The differences that a kernel finds, whatever the order of the pieces it is given.
package protocol ComparisonFindings: Hashable, Sendable {
  /// Nothing differs.
  init()
  /// Whether nothing differs.
  var isEmpty: Bool { get }
  /// Takes in the differences of other elements, whose numbers become larger by `offset`.
  mutating func merge(_ other: Self, shiftedBy offset: Int)
}

/// Compares bytes, which are equal or not.
package struct ByteComparison: ComparisonKernel {
  /// A kernel for bytes.
  package init() {}

  /// None.
  package static var workingByteCount: Int { 0 }
  /// An element is a byte.
  package var arrivingByteCount: Int { 1 }
  /// An element is a byte.
  package var expectedByteCount: Int { 1 }

  /// Compares bytes, the first of which has the number `first` in its run.
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
  /// The number of the first byte that differs; 0 if none does.
  package private(set) var first = 0
  /// The number of bytes that differ.
  package private(set) var count = 0

  /// Nothing differs.
  package init() {}

  /// So many bytes differ.
  package init(first: Int, count: Int) {
    self.first = first
    self.count = count
  }

  /// Whether nothing differs.
  package var isEmpty: Bool { count == 0 }

  /// Takes in the differences of other bytes, whose numbers become larger by `offset`.
  package mutating func merge(_ other: ByteDifferences, shiftedBy offset: Int) {
    guard !other.isEmpty else { return }
    first = isEmpty ? other.first + offset : min(first, other.first + offset)
    count += other.count
  }
}

/// Compares elements as numbers, of one type or of two.
package struct ElementComparison: ComparisonKernel {
  private let arriving: DType
  private let expected: DType

  /// A kernel for elements of types that ``areComparable(_:_:)``.
  package init(arriving: DType, expected: DType) {
    precondition(NumericKind.areComparable(arriving, expected))
    self.arriving = arriving
    self.expected = expected
  }

  /// Whether elements of two types can be compared: as numbers, or as the bits of one type.
  package static func areComparable(_ first: DType, _ second: DType) -> Bool {
    NumericKind.areComparable(first, second)
  }

  /// The room for the doubles that elements are widened to.
  package static var workingByteCount: Int { DifferenceKernels.workingByteCount }
  /// The size of an element that arrives, in bytes.
  package var arrivingByteCount: Int { arriving.byteCount }
  /// The size of an element that is expected, in bytes.
  package var expectedByteCount: Int { expected.byteCount }

  /// Compares elements, the first of which has the number `first` in its run.
  package func compare(
    _ arrivingBytes: RawSpan, _ expectedBytes: RawSpan, from first: Int,
    by work: inout MutableRawSpan, _ findings: inout ElementDifferences
  ) {
    DifferenceKernels.compare(
      arrivingBytes, arriving, expectedBytes, expected, first: first, by: &work, &findings)
  }
}

/// The differences between the elements of two tensors as numbers.
///
/// Differences are taken in double precision, to which all elements are widened first; those of two
/// integer types in which one has 64 bits are exact before they are rounded to it.
public struct ElementDifferences: ComparisonFindings {
  /// The largest of some numbers, and the element it belongs to.
  public struct Maximum: Hashable, Sendable {
    /// The number.
    public var value: Double
    /// The number of the element in row-major order; of those with the largest value the first.
    public var element: Int

    /// Whether this is the larger of two, or as large and earlier.
    func precedes(_ other: Maximum) -> Bool {
      value != other.value ? value > other.value : element < other.element
    }

    fileprivate func shifted(by offset: Int) -> Maximum {
      Maximum(value: value, element: element + offset)
    }
  }

  /// The number of elements with different values; a NaN is equal to a NaN and zero to zero, whatever
  /// their signs.
  public var count = 0
  /// The number of elements with equal values and different bits: signs of zeros, payloads of NaNs.
  public var bitCount = 0
  /// The number of elements that are NaN on one side only; they count as different and have no size.
  public var nanCount = 0
  /// The largest |a − b|: infinite where one is infinite and the other is not the same infinity, and
  /// the absolute value of the complex difference; `nil` where no values differ or are no numbers.
  public var absolute: Maximum?
  /// The largest |a − b| / max(|a|, |b|), infinite where the difference is.
  public var relative: Maximum?

  /// Whether neither values nor bits differ.
  public var isEmpty: Bool { count == 0 && bitCount == 0 }

  /// Nothing differs.
  public init() {}

  /// Takes in a difference of size `distance` between elements as large as `magnitude`.
  mutating func add(_ distance: Double, of magnitude: Double, at element: Int) {
    count += 1
    Self.raise(&absolute, Maximum(value: distance, element: element))
    let ratio = distance.isInfinite ? distance : distance / magnitude
    Self.raise(&relative, Maximum(value: ratio, element: element))
  }

  /// Takes in an element that is NaN on one side.
  mutating func addNaN() {
    count += 1
    nanCount += 1
  }

  /// Takes in the differences of other elements, whose numbers become larger by `offset`.
  public mutating func merge(_ other: ElementDifferences, shiftedBy offset: Int) {
    count += other.count
    bitCount += other.bitCount
    nanCount += other.nanCount
    if let maximum = other.absolute { Self.raise(&absolute, maximum.shifted(by: offset)) }
    if let maximum = other.relative { Self.raise(&relative, maximum.shifted(by: offset)) }
  }

  private static func raise(_ known: inout Maximum?, _ new: Maximum) {
    guard let old = known else { return known = new }
    if new.precedes(old) { known = new }
  }
}
