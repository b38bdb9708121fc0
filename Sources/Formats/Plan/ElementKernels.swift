internal import Bytes

/// The inner loops over elements in memory: packing, byte order, sign bits.
///
/// These are the only loops of the program that run once per element. Every entry point proves once
/// that all of its accesses are in bounds; the loops then leave out the check per access, which
/// made them take twice the time.
enum ElementKernels {
  /// Copies elements from `input` to `output`, each to where `layout` says.
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

  /// Packs one plane, block by block so that both sides stay in the cache when one is transposed.
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

  /// Reverses the bytes of each group of `width`; a rest shorter than that is left alone.
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

  /// Flips the bits of `pattern` in each group of as many bytes, of which there are whole ones.
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
