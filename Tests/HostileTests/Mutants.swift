import CkptTestSupport
import Synchronization

/// The damaged copies of a file in a sweep.
enum Mutants {
  /// The file cut at every length, as far as ``Thoroughness`` wants it.
  static func cut(_ bytes: [UInt8]) -> some Sequence<[UInt8]> {
    places(below: bytes.count).lazy.map { Array(bytes.prefix($0)) }
  }

  /// The file with every bit flipped, as far as ``Thoroughness`` wants it; bits are counted from the
  /// least significant of the first byte.
  static func flipped(_ bytes: [UInt8]) -> some Sequence<(bit: Int, bytes: [UInt8])> {
    places(below: bytes.count * 8).lazy.map { bit in
      var mutant = bytes
      mutant[bit / 8] ^= 1 << UInt8(bit % 8)
      return (bit, mutant)
    }
  }

  /// The number of mutants so far.
  private static let count = Atomic(0)

  /// The places to change; a full sweep tells how many there have been with them.
  private static func places(below end: Int) -> StrideTo<Int> {
    if Thoroughness.isFull {
      print("\(count.add(end, ordering: .relaxed).newValue) damaged files")
    }
    return stride(from: 0, to: end, by: Thoroughness.stride)
  }
}
