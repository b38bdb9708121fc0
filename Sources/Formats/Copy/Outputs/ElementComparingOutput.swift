public import CkptBase
public import CkptGraph
internal import CkptPlan

/// An output that keeps nothing but compares the elements that arrive with those that are expected,
/// as numbers.
///
/// What arrives are packed tensors, one after the other from the output's start; each is compared with
/// a stored region, in which the elements may be of another type. Like ``ComparingOutput``, this can
/// be the destination of any plan on any number of threads, and the result does not depend on it.
public final class ElementComparingOutput: CopyDestination {
  /// A tensor that arrives and what it is compared with.
  public struct Run: Sendable {
    /// The type of the elements that arrive.
    public var arriving: DType
    /// How many elements there are.
    public var elementCount: Int
    /// The type of the elements that are expected.
    public var expected: DType
    /// Where these lie packed.
    public var region: FileRegion

    /// A run.
    public init(arriving: DType, elementCount: Int, expected: DType, region: FileRegion) {
      self.arriving = arriving
      self.elementCount = elementCount
      self.expected = expected
      self.region = region
    }
  }

  /// The bytes of an element of which only a part has arrived: pieces end anywhere.
  private struct Fragment {
    var bytes: [UInt8]
    var missing: Int
  }

  private struct Place: Hashable {
    var run: Int
    var element: Int
  }

  private struct State {
    var found: [Int: ElementDifferences] = [:]
    var fragments: [Place: Fragment] = [:]
  }

  /// The bytes read and compared at a time: few enough that they stay in the cache.
  private static let bufferByteCount = 64 << 10

  private let runs: [Run]
  /// Where the runs lie in the output.
  private let offsets: RunOffsets
  private let state = Locked(State())

  /// An output that is expected to be the elements of `runs`, one run after the other.
  ///
  /// - Throws: `truncated` or `malformed` when a region is not inside its file.
  public init(expecting runs: [Run]) throws(CheckpointError) {
    self.runs = runs
    var offsets = RunOffsets()
    for run in runs {
      precondition(run.region.encoding == .stored, "compressed bytes cannot be read at any offset")
      precondition(run.region.byteCount == run.elementCount * run.expected.byteCount)
      precondition(NumericKind.areComparable(run.arriving, run.expected))
      try run.region.validate()
      try offsets.append(run.elementCount * run.arriving.byteCount)
    }
    self.offsets = offsets
  }

  /// Whether elements of two types can be compared: as numbers, or as the bits of one type.
  public static func areComparable(_ first: DType, _ second: DType) -> Bool {
    NumericKind.areComparable(first, second)
  }

  /// The number of bytes that are expected to arrive.
  public var expectedByteCount: Int { offsets.byteCount }

  /// How the elements of each run differ.
  public var differences: [ElementDifferences] {
    state.withLock { state in runs.indices.map { state.found[$0] ?? ElementDifferences() } }
  }

  /// Never: elements are compared in any order.
  public var isSequential: Bool { false }

  /// Never: every byte that arrives is taken for the final one.
  public var canOverwrite: Bool { false }

  /// The user's directory for temporary files.
  public var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing.
  public func prepare(byteCount: Int) throws(CheckpointError) {}

  /// Compares the elements whose bytes arrive.
  ///
  /// - Throws: `truncated` or `inputOutput` when what is expected cannot be read.
  public func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    let end = min(offset + bytes.byteCount, expectedByteCount)
    guard offset < end else { return }
    var buffer = try PageBuffer(byteCount: Self.bufferByteCount)
    var work = try PageBuffer(byteCount: DifferenceKernels.workingByteCount)
    var run = offsets.run(at: offset)
    var place = offset
    while place < end {
      while offsets[run].upperBound <= place { run += 1 }
      let stop = min(end, offsets[run].upperBound)
      let part = bytes.extracting(place - offset..<stop - offset)
      try compare(part, at: place - offsets[run].lowerBound, of: run, by: &buffer, &work)
      place = stop
    }
  }

  /// Compares bytes of one run, of which the first and last elements may be cut.
  private func compare(
    _ bytes: RawSpan, at start: Int, of run: Int, by buffer: inout PageBuffer,
    _ work: inout PageBuffer
  ) throws(CheckpointError) {
    let width = runs[run].arriving.byteCount
    let end = start + bytes.byteCount
    let firstWhole = (start + width - 1) / width
    let lastWhole = end / width
    guard firstWhole <= lastWhole else {
      return try add(bytes, at: start, of: run, by: &buffer, &work)
    }
    let (head, tail) = (firstWhole * width - start, lastWhole * width - start)
    try add(bytes.extracting(0..<head), at: start, of: run, by: &buffer, &work)
    try compareWhole(bytes.extracting(head..<tail), from: firstWhole, of: run, by: &buffer, &work)
    try add(
      bytes.extracting(tail..<bytes.byteCount), at: lastWhole * width, of: run, by: &buffer, &work)
  }

  private func compareWhole(
    _ bytes: RawSpan, from first: Int, of run: Int, by buffer: inout PageBuffer,
    _ work: inout PageBuffer
  ) throws(CheckpointError) {
    let (type, other) = (runs[run].arriving, runs[run].expected)
    let count = bytes.byteCount / type.byteCount
    let step = Self.bufferByteCount / other.byteCount
    let region = runs[run].region
    var result = ElementDifferences()
    for start in stride(from: 0, to: count, by: step) {
      let end = min(start + step, count)
      let byteCount = (end - start) * other.byteCount
      var room = buffer.mutableBytes
      var part = room._mutatingExtracting(0..<byteCount)
      try region.file.readAll(
        at: region.range.lowerBound + (first + start) * other.byteCount, into: &part)
      var workBytes = work.mutableBytes
      DifferenceKernels.compare(
        bytes.extracting(start * type.byteCount..<end * type.byteCount), type,
        buffer.bytes.extracting(0..<byteCount), other, first: first + start, by: &workBytes,
        &result)
    }
    note(result, of: run)
  }

  /// Keeps bytes of an element until all of them have arrived.
  private func add(
    _ bytes: RawSpan, at start: Int, of run: Int, by buffer: inout PageBuffer,
    _ work: inout PageBuffer
  ) throws(CheckpointError) {
    guard bytes.byteCount > 0 else { return }
    let width = runs[run].arriving.byteCount
    let place = Place(run: run, element: start / width)
    let whole = state.withLock { state -> [UInt8]? in
      var fragment =
        state.fragments[place]
        ?? Fragment(bytes: [UInt8](repeating: 0, count: width), missing: width)
      let new = Span<UInt8>(_bytes: bytes)
      for index in new.indices { fragment.bytes[start % width + index] = new[index] }
      fragment.missing -= bytes.byteCount
      state.fragments[place] = fragment.missing == 0 ? nil : fragment
      return fragment.missing == 0 ? fragment.bytes : nil
    }
    guard let whole else { return }
    try compareWhole(whole.span.raw, from: place.element, of: run, by: &buffer, &work)
  }

  private func note(_ result: ElementDifferences, of run: Int) {
    guard !result.isEmpty else { return }
    state.withLock { $0.found[run, default: ElementDifferences()].merge(result) }
  }
}

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
