internal import CkptBase
package import CkptGraph

/// An output that only counts the numbers of several runs that are not finite.
package final class NonFiniteCountingOutput: CopyDestination {
  /// The numbers of a run that are not finite.
  package struct Result: Hashable, Sendable {
    /// The count of NaNs.
    package var nanCount = 0
    /// The count of infinities.
    package var infinityCount = 0
    /// The count of numbers below zero, where they were asked for.
    package var negativeCount = 0
  }

  private struct State {
    var run = 0
    var results: [Result]
    /// The beginning of a number that ends in the next bytes.
    var rest: [UInt8] = []
  }

  private let patterns: [NonFinitePattern]
  /// For each run, whether numbers below zero are counted as well.
  private let countsNegatives: [Bool]
  /// The end of each run.
  private let ends: [Int]
  private let state: Locked<State>

  /// Whether numbers of a dtype can be other than finite.
  package static func canSearch(_ dtype: DType) -> Bool { NonFinitePattern(dtype) != nil }

  /// Creates an output for runs of numbers of these types and sizes in bytes.
  ///
  /// The runs follow each other, and none is empty. All types must be such that ``canSearch(_:)``.
  /// Numbers below zero are counted in the runs `signed`.
  package init(of runs: [(dtype: DType, byteCount: Int)], negativesIn signed: Set<Int> = []) {
    countsNegatives = runs.indices.map { signed.contains($0) }
    patterns = runs.compactMap { NonFinitePattern($0.dtype) }
    precondition(patterns.count == runs.count, "numbers of these types are always finite")
    var end = 0
    ends = runs.map { run in
      end += run.byteCount
      return end
    }
    state = Locked(State(results: Array(repeating: Result(), count: runs.count)))
  }

  /// The result for each run, after all bytes were written.
  package var results: [Result] { state.withLock(\.results) }

  /// True: numbers can be split between pieces.
  package var isSequential: Bool { true }

  /// The user's directory for temporary files.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing, because nothing is stored.
  package func prepare(byteCount: Int) {}

  /// Counts in the next bytes.
  package func write(_ bytes: RawSpan, at offset: Int) {
    state.withLock { state in
      var place = 0
      while place < bytes.byteCount {
        let end = min(bytes.byteCount, ends[state.run] - offset)
        take(bytes.extracting(place..<end), &state)
        if offset + end == ends[state.run] { state.run += 1 }
        place = end
      }
    }
  }

  /// Counts in bytes of one run.
  private func take(_ bytes: RawSpan, _ state: inout State) {
    let pattern = patterns[state.run]
    var start = 0
    if !state.rest.isEmpty {
      start = min(pattern.width - state.rest.count, bytes.byteCount)
      for place in 0..<start { state.rest.append(bytes.byte(at: place)) }
      guard state.rest.count == pattern.width else { return }
      let number = state.rest
      state.rest = []
      count(pattern, in: number.span.raw, &state)
    }
    let whole = start + (bytes.byteCount - start) / pattern.width * pattern.width
    count(pattern, in: bytes.extracting(start..<whole), &state)
    for place in whole..<bytes.byteCount { state.rest.append(bytes.byte(at: place)) }
  }

  private func count(_ pattern: NonFinitePattern, in bytes: RawSpan, _ state: inout State) {
    let all = ElementKernels.count(
      of: pattern.pattern, under: pattern.mask, width: pattern.width, in: bytes)
    if countsNegatives[state.run] {
      let sign = UInt64(1) << (UInt64(pattern.width) * 8 - 1)
      let isNegative = ElementKernels.count(
        of: sign, under: sign, width: pattern.width, in: bytes)
      let isNegativeZero = ElementKernels.count(
        of: sign, under: .max >> (64 - UInt64(pattern.width) * 8), width: pattern.width, in: bytes)
      state.results[state.run].negativeCount += isNegative - isNegativeZero
    }
    guard all > 0 else { return }
    let infinite = pattern.infinityMask.map {
      ElementKernels.count(of: pattern.pattern, under: $0, width: pattern.width, in: bytes)
    }
    state.results[state.run].infinityCount += infinite ?? 0
    state.results[state.run].nanCount += all - (infinite ?? 0)
  }
}

extension RawSpan {
  /// One byte.
  fileprivate func byte(at place: Int) -> UInt8 { Span<UInt8>(_bytes: self)[place] }
}

/// The bits that mark elements of a dtype as not finite.
///
/// An element is not finite if all bits of ``mask`` equal those of ``pattern``. It is infinite, not
/// NaN, if the same holds for ``infinityMask``.
struct NonFinitePattern {
  /// The size of one number in bytes: 1, 2, 4 or 8.
  let width: Int
  let mask: UInt64
  let pattern: UInt64
  /// The mask of infinities; `nil` for dtypes without them.
  let infinityMask: UInt64?

  /// Creates the pattern of a dtype; `nil` for packed dtypes and for those with only finite
  /// elements.
  ///
  /// The 8-bit types are those of the OCP specification "8-bit Floating Point" and of
  /// `c10/util/Float8_*.h`: `e4m3fn` has NaN but no infinities; the `fnuz` types have one NaN in
  /// place of negative zero.
  init?(_ dtype: DType) {
    switch dtype {
    case .float64, .complex128: self.init(width: 8, exponent: 0x7ff0_0000_0000_0000)
    case .float32, .complex64: self.init(width: 4, exponent: 0x7f80_0000)
    case .bfloat16, .bcomplex32: self.init(width: 2, exponent: 0x7f80)
    case .float16, .complex32: self.init(width: 2, exponent: 0x7c00)
    case .float8_e5m2: self.init(width: 1, exponent: 0x7c)
    case .float8_e4m3fn: self.init(width: 1, nan: 0x7f, mask: 0x7f)
    case .float8_e5m2fnuz, .float8_e4m3fnuz: self.init(width: 1, nan: 0x80, mask: 0xff)
    case .float8_e8m0fnu: self.init(width: 1, nan: 0xff, mask: 0xff)
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64,
      .float4_e2m1fn_x2, .float6_e2m3fn, .float6_e3m2fn, .qint8, .quint8, .qint32, .quint4x2,
      .quint2x4, .bits1x8, .bits2x4, .bits4x2, .bits8, .bits16:
      return nil
    }
  }

  /// Creates the pattern of an IEEE 754 type or a similar one: an exponent of ones, with zeros and
  /// the sign for infinities.
  private init(width: Int, exponent: UInt64) {
    self.width = width
    mask = exponent
    pattern = exponent
    infinityMask = 1 << (UInt64(width) * 8 - 1) - 1
  }

  private init(width: Int, nan: UInt64, mask: UInt64) {
    self.width = width
    self.mask = mask
    pattern = nan
    infinityMask = nil
  }
}
