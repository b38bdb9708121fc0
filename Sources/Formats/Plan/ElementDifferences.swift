/// How the elements of two tensors differ as numbers.
///
/// Differences are taken in double precision, to which all elements are widened first; those of two
/// integer types in which one has 64 bits are exact before they are rounded to it.
public struct ElementDifferences: Hashable, Sendable {
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
  }

  /// How many elements have different values; a NaN is equal to a NaN and zero to zero, whatever
  /// their signs.
  public var count = 0
  /// How many elements have equal values and different bits: signs of zeros, payloads of NaNs.
  public var bitCount = 0
  /// How many elements are NaN on one side only; they count as different and have no size.
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

  /// Takes in the differences of other elements.
  mutating func merge(_ other: ElementDifferences) {
    count += other.count
    bitCount += other.bitCount
    nanCount += other.nanCount
    if let maximum = other.absolute { Self.raise(&absolute, maximum) }
    if let maximum = other.relative { Self.raise(&relative, maximum) }
  }

  private static func raise(_ known: inout Maximum?, _ new: Maximum) {
    guard let old = known else { return known = new }
    if new.precedes(old) { known = new }
  }
}
