internal import CkptBase
internal import CkptPlan

/// The inner loops over elements in memory: packing, byte order, sign bits.
///
/// These are the only loops of the program that run once per element. Every entry point proves once
/// that all accesses are in bounds. The loops then have no check per access, which would double
/// their time.
enum ElementKernels {
  /// Copies elements from `input` to `output` at the positions in `layout`.
  static func pack(
    _ layout: StridedLayout, from input: RawSpan, into output: inout MutableRawSpan
  ) {
    precondition(layout.sourceSpan <= input.byteCount && layout.targetSpan <= output.byteCount)
    let walk = PlaneWalk(layout)
    var place = walk.start
    repeat {
      let source = place.source
      let target = place.target
      switch walk.unit {
      case 1: pack(UInt8.self, walk, from: input, at: source, into: &output, at: target)
      case 2: pack(UInt16.self, walk, from: input, at: source, into: &output, at: target)
      case 4: pack(UInt32.self, walk, from: input, at: source, into: &output, at: target)
      case 8: pack(UInt64.self, walk, from: input, at: source, into: &output, at: target)
      case 16: pack(SIMD2<UInt64>.self, walk, from: input, at: source, into: &output, at: target)
      default: packRuns(walk, from: input, at: source, into: &output, at: target)
      }
    } while place.advance()
  }

  /// Packs one plane in blocks, so that both sides stay in the cache if one is transposed.
  private static func pack<T: BitwiseCopyable>(
    _ type: T.Type, _ walk: PlaneWalk, from input: RawSpan, at inputOffset: Int,
    into output: inout MutableRawSpan, at outputOffset: Int
  ) {
    for firstRow in stride(from: 0, to: walk.rows.count, by: walk.rowsPerBlock) {
      let endRow = min(firstRow + walk.rowsPerBlock, walk.rows.count)
      for firstColumn in stride(from: 0, to: walk.columns.count, by: walk.columnsPerBlock) {
        let endColumn = min(firstColumn + walk.columnsPerBlock, walk.columns.count)
        for row in firstRow..<endRow {
          var source = inputOffset + row * walk.rows.stride + firstColumn * walk.columns.stride
          var target = outputOffset + row * walk.rows.target + firstColumn * walk.columns.target
          for _ in firstColumn..<endColumn {
            // Safe: the caller's precondition compared the furthest element of the layout with both
            // spans, and the walk visits elements of the layout only; any bits are a valid integer.
            let element = unsafe input.unsafeLoadUnaligned(
              fromUncheckedByteOffset: source, as: T.self)
            unsafe output.storeBytes(of: element, toUncheckedByteOffset: target, as: T.self)
            source += walk.columns.stride
            target += walk.columns.target
          }
        }
      }
    }
  }

  /// Packs one plane whose elements are runs of bytes.
  private static func packRuns(
    _ walk: PlaneWalk, from input: RawSpan, at inputOffset: Int,
    into output: inout MutableRawSpan, at outputOffset: Int
  ) {
    for row in 0..<walk.rows.count {
      for column in 0..<walk.columns.count {
        let source = inputOffset + row * walk.rows.stride + column * walk.columns.stride
        let target = outputOffset + row * walk.rows.target + column * walk.columns.target
        output.copy(input.extracting(source..<source + walk.unit), to: target)
      }
    }
  }

  /// Copies elements from `input` to `output` like ``pack(_:from:into:)``.
  ///
  /// Bytes that were covered before must already have the value.
  ///
  /// The mark of a byte, 0 or 255, is `marks` bytes after it in `output`. Returns the lowest offset
  /// of a byte with another value, or `nil`.
  static func merge(
    _ layout: StridedLayout, from input: RawSpan, into output: inout MutableRawSpan,
    marksAfter marks: Int
  ) -> Int? {
    precondition(layout.sourceSpan <= input.byteCount && layout.targetSpan <= marks)
    precondition(marks <= output.byteCount - layout.targetSpan)
    let walk = PlaneWalk(layout)
    var place = walk.start
    var lowest = Int.max
    repeat {
      for row in 0..<walk.rows.count {
        var source = place.source + row * walk.rows.stride
        var target = place.target + row * walk.rows.target
        for _ in 0..<walk.columns.count {
          let found =
            switch walk.unit {
            case 1: merge(UInt8.self, input, source, &output, target, marks)
            case 2: merge(UInt16.self, input, source, &output, target, marks)
            case 4: merge(UInt32.self, input, source, &output, target, marks)
            case 8: merge(UInt64.self, input, source, &output, target, marks)
            default: mergeRun(walk.unit, input, source, &output, target, marks)
            }
          lowest = min(lowest, found)
          source += walk.columns.stride
          target += walk.columns.target
        }
      }
    } while place.advance()
    return lowest == .max ? nil : lowest
  }

  /// Merges a run of bytes.
  ///
  /// Returns the lowest offset of a conflicting byte, or `Int.max`.
  private static func mergeRun(
    _ byteCount: Int, _ input: RawSpan, _ source: Int, _ output: inout MutableRawSpan,
    _ target: Int, _ marks: Int
  ) -> Int {
    var lowest = Int.max
    let wide = byteCount / 8 * 8
    for place in stride(from: 0, to: wide, by: 8) {
      let found = merge(UInt64.self, input, source + place, &output, target + place, marks)
      lowest = min(lowest, found)
    }
    for place in wide..<byteCount {
      let found = merge(UInt8.self, input, source + place, &output, target + place, marks)
      lowest = min(lowest, found)
    }
    return lowest
  }

  /// Merges one element.
  ///
  /// Returns the lowest offset of a conflicting byte, or `Int.max`.
  @inline(__always)
  private static func merge<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ input: RawSpan, _ source: Int, _ output: inout MutableRawSpan,
    _ target: Int, _ marks: Int
  ) -> Int {
    // Safe: the preconditions of the caller compared the furthest element of the layout with both
    // spans and with the marks; any bits are a valid integer.
    let new = unsafe input.unsafeLoadUnaligned(fromUncheckedByteOffset: source, as: T.self)
    let old = unsafe output.unsafeLoadUnaligned(fromUncheckedByteOffset: target, as: T.self)
    let mark = unsafe output.unsafeLoadUnaligned(
      fromUncheckedByteOffset: target + marks, as: T.self)
    unsafe output.storeBytes(
      of: old & mark | new & ~mark, toUncheckedByteOffset: target, as: T.self)
    unsafe output.storeBytes(of: ~0, toUncheckedByteOffset: target + marks, as: T.self)
    let difference = ((old ^ new) & mark).littleEndian
    return difference == 0 ? .max : target + difference.trailingZeroBitCount / 8
  }

  /// Returns the number of different bytes of two spans of one length, and the position of the
  /// first.
  static func differences(_ first: RawSpan, _ second: RawSpan) -> (first: Int, count: Int)? {
    precondition(first.byteCount == second.byteCount)
    let wide = first.byteCount / block * block
    var result: (first: Int, count: Int)?
    for start in stride(from: 0, to: wide, by: block) {
      var difference = SIMD16<UInt8>()
      for place in stride(from: start, to: start + block, by: 16) {
        // Safe: `place` and the 15 bytes behind it are inside a block, which is inside both spans
        // as they have one length; a byte has any value.
        let one = unsafe first.unsafeLoadUnaligned(
          fromUncheckedByteOffset: place, as: SIMD16<UInt8>.self)
        let other = unsafe second.unsafeLoadUnaligned(
          fromUncheckedByteOffset: place, as: SIMD16<UInt8>.self)
        difference |= one ^ other
      }
      guard difference != SIMD16() else { continue }
      count(start..<start + block, first, second, &result)
    }
    count(wide..<first.byteCount, first, second, &result)
    return result
  }

  /// The number of bytes to compare at once.
  private static let block = 256

  /// Counts the different bytes in a range of two spans.
  private static func count(
    _ range: Range<Int>, _ first: RawSpan, _ second: RawSpan,
    _ result: inout (first: Int, count: Int)?
  ) {
    for place in range {
      // Safe: the caller's range is inside both spans; a byte has any value.
      let one = unsafe first.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self)
      let other = unsafe second.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self)
      guard one != other else { continue }
      result = (result?.first ?? place, (result?.count ?? 0) + 1)
    }
  }

  /// Reverses the bytes of each group of `width`; an incomplete group at the end is unchanged.
  static func swap(_ bytes: inout MutableRawSpan, width: Int) {
    switch width {
    case 1: return
    case 2: swap(&bytes, as: UInt16.self)
    case 4: swap(&bytes, as: UInt32.self)
    case 8: swap(&bytes, as: UInt64.self)
    default: preconditionFailure("no number is \(width) bytes wide")
    }
  }

  private static func swap<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: inout MutableRawSpan, as type: T.Type
  ) {
    let size = MemoryLayout<T>.size
    for index in 0..<bytes.byteCount / size {
      // Safe: the index is below the number of whole groups; any bits are a valid integer.
      let value = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index * size, as: T.self)
      unsafe bytes.storeBytes(
        of: value.byteSwapped, toUncheckedByteOffset: index * size, as: T.self)
    }
  }

  /// Flips the bits of `pattern` in each group of as many bytes; all groups are complete.
  static func flip(_ bytes: inout MutableRawSpan, _ pattern: [UInt8]) {
    guard !pattern.isEmpty else { return }
    precondition(16 % pattern.count == 0)
    var mask = SIMD16<UInt8>()
    for lane in mask.indices { mask[lane] = pattern[lane % pattern.count] }
    let wide = bytes.byteCount / 16 * 16
    for place in stride(from: 0, to: wide, by: 16) {
      // Safe: 16 bytes from `place` on are inside the span; a byte has any value.
      let vector = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: place, as: SIMD16<UInt8>.self)
      unsafe bytes.storeBytes(
        of: vector ^ mask, toUncheckedByteOffset: place, as: SIMD16<UInt8>.self)
    }
    for place in wide..<bytes.byteCount {
      // Safe: `place` is inside the span; a byte has any value.
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self)
      unsafe bytes.storeBytes(
        of: byte ^ mask[place - wide], toUncheckedByteOffset: place, as: UInt8.self)
    }
  }
}

/// Counts of elements by their bits.
extension ElementKernels {
  /// Returns the count of numbers in `bytes`, each `width` bytes wide, whose bits equal those of
  /// `pattern` under `mask`.
  static func count(
    of pattern: UInt64, under mask: UInt64, width: Int, in bytes: RawSpan
  ) -> Int {
    switch width {
    case 1: count(of: UInt8(pattern), under: UInt8(mask), in: bytes)
    case 2: count(of: UInt16(pattern), under: UInt16(mask), in: bytes)
    case 4: count(of: UInt32(pattern), under: UInt32(mask), in: bytes)
    case 8: count(of: pattern, under: mask, in: bytes)
    default: preconditionFailure("no number is \(width) bytes wide")
    }
  }

  private static func count<T: FixedWidthInteger & BitwiseCopyable>(
    of pattern: T, under mask: T, in bytes: RawSpan
  ) -> Int {
    let size = MemoryLayout<T>.size
    var count = 0
    for index in 0..<bytes.byteCount / size {
      // Safe: the index is below the number of whole elements; any bits are a valid integer.
      let element = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index * size, as: T.self)
      count &+= T(littleEndian: element) & mask == pattern ? 1 : 0
    }
    return count
  }
}

/// The change to the bytes of packed elements before they are written.
struct ElementChange: Sendable {
  private let swapWidth: Int
  private let flippedBits: [UInt8]

  /// Creates the change that `elements` need, or `nil` if their bytes stay the same.
  init?(_ elements: StridedElements) {
    guard elements.changesBytes else { return nil }
    swapWidth = elements.swapWidth
    flippedBits = elements.flippedBits
  }

  /// Changes whole elements in place.
  func apply(to bytes: inout MutableRawSpan) {
    ElementKernels.swap(&bytes, width: swapWidth)
    ElementKernels.flip(&bytes, flippedBits)
  }
}
