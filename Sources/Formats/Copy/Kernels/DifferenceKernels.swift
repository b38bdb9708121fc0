internal import CkptBase
internal import CkptGraph

/// The inner loops that compare elements as numbers.
///
/// Elements of any dtype are widened to doubles, block by block, and one loop compares the doubles.
/// It has no branch per element. Only if a block can hold a new maximum or a NaN are its elements
/// examined one by one.
enum DifferenceKernels {
  /// The number of elements to widen at a time; their doubles stay in the first-level cache.
  static let blockCount = 512
  /// The working memory for a comparison, in bytes.
  static let workingByteCount = 4 * blockCount * MemoryLayout<Double>.size

  /// Compares whole elements; `first` is the number of the first one.
  static func compare(
    _ left: RawSpan, _ leftType: DType, _ right: RawSpan, _ rightType: DType, first: Int,
    by work: inout MutableRawSpan, _ result: inout ElementDifferences
  ) {
    let (leftWidth, rightWidth) = (leftType.byteCount, rightType.byteCount)
    let count = left.byteCount / leftWidth
    precondition(count * leftWidth == left.byteCount && count * rightWidth == right.byteCount)
    precondition(work.byteCount >= workingByteCount)
    let numbers = NumericKind.common(leftType, rightType)
    for start in stride(from: 0, to: count, by: blockCount) {
      let end = min(start + blockCount, count)
      let one = left.extracting(start * leftWidth..<end * leftWidth)
      let other = right.extracting(start * rightWidth..<end * rightWidth)
      let isSameType = leftType == rightType
      if isSameType, ElementKernels.differences(one, other) == nil {
        if case .doubles = numbers {
          var lefts = work._mutatingExtracting(0..<8 * (end - start))
          WideningKernels.widen(one, leftType, into: &lefts)
          addSquares(work.bytes, count: end - start, &result)
        }
        continue
      }
      let before = result.count
      switch numbers {
      case .doubles:
        var lefts = work._mutatingExtracting(0..<8 * (end - start))
        WideningKernels.widen(one, leftType, into: &lefts)
        var rights = work._mutatingExtracting(8 * blockCount..<8 * (blockCount + end - start))
        WideningKernels.widen(other, rightType, into: &rights)
        compareDoubles(
          work.bytes, at: 8 * blockCount, count: end - start, first: first + start, &result)
      case .integers:
        compareIntegers(one, leftType, other, rightType, first: first + start, &result)
      case .pairs:
        var lefts = work._mutatingExtracting(0..<16 * (end - start))
        WideningKernels.widenPairs(one, leftType, into: &lefts)
        var rights = work._mutatingExtracting(16 * blockCount..<16 * (blockCount + end - start))
        WideningKernels.widenPairs(other, rightType, into: &rights)
        comparePairs(
          work.bytes, at: 16 * blockCount, count: end - start, first: first + start, &result)
      case .bits: result.count += unequal(one, other, width: leftWidth)
      }
      if isSameType {
        result.bitCount += unequal(one, other, width: leftWidth) - (result.count - before)
      }
    }
  }

  // MARK: Doubles

  /// Compares `count` doubles at the start of `work` with as many at `offset`.
  private static func compareDoubles(
    _ work: RawSpan, at offset: Int, count: Int, first: Int, _ result: inout ElementDifferences
  ) {
    let wide = count / 8 * 8
    var differing = SIMD8<Int64>()
    var isUnusual = SIMDMask<SIMD8<Int64>>()
    let sign = SIMD8<UInt64>(repeating: 1 << 63)
    let absolute = SIMD8(repeating: result.absolute?.value ?? 0)
    let relative = SIMD8(repeating: result.relative?.value ?? 0)
    var squares = (SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>())
    for index in stride(from: 0, to: wide, by: 8) {
      // Safe: the caller has written `count` doubles at both places of the working memory.
      let left = unsafe work.unsafeLoadUnaligned(
        fromUncheckedByteOffset: 8 * index, as: SIMD8<Double>.self)
      let right = unsafe work.unsafeLoadUnaligned(
        fromUncheckedByteOffset: offset + 8 * index, as: SIMD8<Double>.self)
      let distance = magnitude(left - right, sign)
      squares.0 += distance * distance
      squares.1 += left * left
      squares.2 += right * right
      let (leftSize, rightSize) = (magnitude(left, sign), magnitude(right, sign))
      let size = leftSize.replacing(with: rightSize, where: rightSize .> leftSize)
      differing &+= SIMD8<Int64>(repeating: 1).replacing(with: 0, where: left .== right)
      // Comparisons with NaN are false: NaNs, infinities and new maxima all end up here.
      isUnusual = isUnusual .| .!(distance .<= absolute) .| .!(distance .<= relative * size)
    }
    result.squares.difference += squares.0.sum()
    result.squares.left += squares.1.sum()
    result.squares.right += squares.2.sum()
    for index in wide..<count {
      let (left, right) = (double(work, 8 * index), double(work, offset + 8 * index))
      result.squares.difference += (left - right) * (left - right)
      result.squares.left += left * left
      result.squares.right += right * right
    }
    if any(isUnusual) {
      compareOneByOne(work, at: offset, 0..<wide, first: first, &result)
    } else {
      result.count += Int(differing.wrappedSum())
    }
    compareOneByOne(work, at: offset, wide..<count, first: first, &result)
  }

  /// Adds the squares of `count` doubles that both sides have.
  private static func addSquares(
    _ work: RawSpan, count: Int, _ result: inout ElementDifferences
  ) {
    var sum = 0.0
    for index in 0..<count {
      let value = double(work, 8 * index)
      sum += value * value
    }
    result.squares.left += sum
    result.squares.right += sum
  }

  @inline(__always)
  private static func magnitude(_ value: SIMD8<Double>, _ sign: SIMD8<UInt64>) -> SIMD8<Double> {
    // Safe: both types are 64 bytes of which any are valid.
    unsafe unsafeBitCast(
      unsafeBitCast(value, to: SIMD8<UInt64>.self) & ~sign, to: SIMD8<Double>.self)
  }

  private static func compareOneByOne(
    _ work: RawSpan, at offset: Int, _ range: Range<Int>, first: Int,
    _ result: inout ElementDifferences
  ) {
    for index in range {
      let (left, right) = (double(work, 8 * index), double(work, offset + 8 * index))
      if left == right || left.isNaN && right.isNaN { continue }
      if left.isNaN || right.isNaN {
        result.addNaN()
      } else {
        result.add(
          abs(left - right), of: max(abs(left), abs(right)), at: first + index)
      }
    }
  }

  /// Compares pairs of doubles as complex numbers.
  private static func comparePairs(
    _ work: RawSpan, at offset: Int, count: Int, first: Int, _ result: inout ElementDifferences
  ) {
    for index in 0..<count {
      let left = (double(work, 16 * index), double(work, 16 * index + 8))
      let right = (double(work, offset + 16 * index), double(work, offset + 16 * index + 8))
      if left == right { continue }
      let (leftIsNaN, rightIsNaN) = (
        left.0.isNaN || left.1.isNaN, right.0.isNaN || right.1.isNaN
      )
      if leftIsNaN && rightIsNaN { continue }
      if leftIsNaN || rightIsNaN {
        result.addNaN()
      } else {
        // Equal infinities have the distance zero, which subtraction does not give.
        let real = left.0 == right.0 ? 0 : left.0 - right.0
        let imaginary = left.1 == right.1 ? 0 : left.1 - right.1
        result.add(
          length(real, imaginary), of: max(length(left.0, left.1), length(right.0, right.1)),
          at: first + index)
      }
    }
  }

  /// Returns the absolute value of a complex number without intermediate overflow.
  private static func length(_ real: Double, _ imaginary: Double) -> Double {
    let (large, small) = (max(abs(real), abs(imaginary)), min(abs(real), abs(imaginary)))
    guard large > 0, large.isFinite else { return large }
    let ratio = small / large
    return large * (1 + ratio * ratio).squareRoot()
  }

  @inline(__always)
  private static func double(_ work: RawSpan, _ offset: Int) -> Double {
    // Safe: the caller's index is one of the doubles that were written to the working memory.
    unsafe work.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Double.self)
  }

  // MARK: Integers of 64 bits

  private static func compareIntegers(
    _ left: RawSpan, _ leftType: DType, _ right: RawSpan, _ rightType: DType, first: Int,
    _ result: inout ElementDifferences
  ) {
    for index in 0..<left.byteCount / leftType.byteCount {
      let one = integer(left, index, leftType)
      let other = integer(right, index, rightType)
      guard one != other else { continue }
      result.add(
        Double((one - other).magnitude), of: Double(max(one.magnitude, other.magnitude)),
        at: first + index)
    }
  }

  @inline(__always)
  private static func integer(_ bytes: RawSpan, _ index: Int, _ dtype: DType) -> Int128 {
    switch dtype {
    case .uint64: Int128(load(bytes, index, UInt64.self))
    case .int64: Int128(load(bytes, index, Int64.self))
    case .uint32: Int128(load(bytes, index, UInt32.self))
    case .int32, .qint32: Int128(load(bytes, index, Int32.self))
    case .uint16: Int128(load(bytes, index, UInt16.self))
    case .int16: Int128(load(bytes, index, Int16.self))
    case .int8, .qint8: Int128(load(bytes, index, Int8.self))
    default: Int128(load(bytes, index, UInt8.self))
    }
  }

  @inline(__always)
  private static func load<T: BitwiseCopyable>(_ bytes: RawSpan, _ index: Int, _ type: T.Type) -> T
  {
    // Safe: the index is below the number of whole elements; any bits are an integer.
    unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index * MemoryLayout<T>.size, as: T.self)
  }

  // MARK: Bits

  /// Returns the number of different elements of `width` bytes.
  private static func unequal(_ left: RawSpan, _ right: RawSpan, width: Int) -> Int {
    switch width {
    case 1: unequal(left, right, as: UInt8.self)
    case 2: unequal(left, right, as: UInt16.self)
    case 4: unequal(left, right, as: UInt32.self)
    case 8: unequal(left, right, as: UInt64.self)
    default: unequal(left, right, as: SIMD2<UInt64>.self)
    }
  }

  @inline(__always)
  private static func unequal<T: BitwiseCopyable & Equatable>(
    _ left: RawSpan, _ right: RawSpan, as type: T.Type
  ) -> Int {
    var count = 0
    for index in 0..<left.byteCount / MemoryLayout<T>.size
    where load(left, index, T.self) != load(right, index, T.self) {
      count += 1
    }
    return count
  }
}

/// The kind of numbers for a comparison of elements.
enum NumericKind {
  /// Integers of up to 32 bits and floats, which a double can hold.
  case doubles
  /// Integers of 64 bits.
  case integers
  /// Pairs of doubles.
  case pairs
  /// Bits that are not a number.
  case bits

  init(_ dtype: DType) {
    switch dtype {
    case .uint64, .int64: self = .integers
    case .complex32, .complex64, .complex128, .bcomplex32: self = .pairs
    case .float4_e2m1fn_x2, .float6_e2m3fn, .float6_e3m2fn, .quint4x2, .quint2x4, .bits1x8,
      .bits2x4, .bits4x2, .bits8, .bits16:
      self = .bits
    default: self = .doubles
    }
  }

  /// Whether the dtype is an integer type or bool.
  static func isInteger(_ dtype: DType) -> Bool {
    switch dtype {
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .qint8, .quint8,
      .qint32:
      true
    default: false
    }
  }

  /// Returns the kind of numbers for comparing elements of two dtypes.
  static func common(_ first: DType, _ second: DType) -> NumericKind {
    switch (NumericKind(first), NumericKind(second)) {
    case (.bits, _), (_, .bits): .bits
    case (.pairs, _), (_, .pairs): .pairs
    case (.integers, _), (_, .integers):
      isInteger(first) && isInteger(second) ? .integers : .doubles
    case (.doubles, .doubles): .doubles
    }
  }

  /// Whether elements of two dtypes can be compared as numbers, or as bits of one dtype.
  static func areComparable(_ first: DType, _ second: DType) -> Bool {
    if first == second { return first.bitWidth.isMultiple(of: 8) }
    if case .bits = common(first, second) { return false }
    return true
  }
}
