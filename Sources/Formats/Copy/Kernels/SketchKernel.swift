internal import CkptBase

/// The inner loop that adds elements to a sketch of 256 sums, each with a sign of its own.
///
/// Element `256 b + j` is added to the sum `(j + 97 b) mod 256`. Its sign is plus where bit `j mod 64`
/// of the hash of `4 b + j div 64` is set. Without the rotation by 97, the elements of a column of a
/// matrix would all meet in one sum.
enum SketchKernel {
  /// The number of sums.
  static let count = 256
  private static let rotation = 97
  /// The number of random bits that one hash gives.
  private static let signsPerHash = 64

  /// The sign bits that turn around four elements, for the four lowest bits of a hash.
  private static let signs: [UInt64] = (0..<16).flatMap { bits in
    (0..<4).map { bits >> $0 & 1 == 1 ? 0 : 1 << 63 }
  }

  /// Adds `values`, the first of which has the number `first`, to the sums of `sketch`, which has twice
  /// ``count`` of them: the rotated ones do not wrap around, and ``folded(_:)`` does it at the end.
  ///
  /// Both `first` and the number of values are multiples of ``count``.
  static func add(_ values: Span<Double>, from first: Int, to sketch: inout [Double]) {
    precondition(values.count.isMultiple(of: count) && first.isMultiple(of: count))
    precondition(sketch.count == 2 * count)
    let table = signs.span
    var span = sketch.mutableSpan
    // Safe: any bits are doubles.
    var sums = unsafe span.mutableBytes
    for start in stride(from: 0, to: values.count, by: count) {
      let number = UInt64((first + start) / count)
      var target = Int(number &* UInt64(rotation) & UInt64(count - 1))
      var index = start
      for word in 0..<UInt64(count / signsPerHash) {
        var bits = hash(4 &* number &+ word)
        for _ in 0..<signsPerHash / 4 {
          // Safe: there are sixteen times four signs, `index` is below the number of values by at
          // least four, and `target` is at most 255 plus the number of elements done of 256.
          let flips = unsafe table.bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: 32 &* Int(truncatingIfNeeded: bits & 15),
            as: SIMD4<UInt64>.self)
          let value = unsafe values.bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: 8 &* index, as: SIMD4<UInt64>.self)
          let sum = unsafe sums.bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: 8 &* target, as: SIMD4<Double>.self)
          let signed = unsafe unsafeBitCast(value ^ flips, to: SIMD4<Double>.self)
          unsafe sums.storeBytes(
            of: sum + signed, toUncheckedByteOffset: 8 &* target, as: SIMD4<Double>.self)
          bits >>= 4
          index += 4
          target += 4
        }
      }
    }
  }

  /// The sums, with those that were not wrapped around where they belong.
  static func folded(_ sketch: [Double]) -> [Double] {
    (0..<count).map { sketch[$0] + sketch[$0 + count] }
  }

  /// The hash function splitmix64 (Steele, Lea and Flood 2014).
  private static func hash(_ number: UInt64) -> UInt64 {
    var bits = number &+ 0x9e37_79b9_7f4a_7c15
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }
}
