/// What a sweep makes of a file.
enum Mutants {
  /// The file cut at every length, as far as ``Thoroughness`` wants it.
  static func cut(_ bytes: [UInt8]) -> some Sequence<[UInt8]> {
    stride(from: 0, to: bytes.count, by: Thoroughness.stride).lazy.map { Array(bytes.prefix($0)) }
  }

  /// The file with every bit flipped, as far as ``Thoroughness`` wants it; bits are counted from the
  /// least significant of the first byte.
  static func flipped(_ bytes: [UInt8]) -> some Sequence<(bit: Int, bytes: [UInt8])> {
    stride(from: 0, to: bytes.count * 8, by: Thoroughness.stride).lazy.map { bit in
      var mutant = bytes
      mutant[bit / 8] ^= 1 << UInt8(bit % 8)
      return (bit, mutant)
    }
  }
}
