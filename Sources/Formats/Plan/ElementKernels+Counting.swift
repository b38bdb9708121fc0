/// Counting elements by their bits.
extension ElementKernels {
  /// How many of the numbers in `bytes`, each `width` bytes wide, have the bits of `pattern` in all
  /// places where `mask` has ones.
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
