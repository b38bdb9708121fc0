/// Deflate streams (RFC 1951) that need no compressor.
package enum Deflate {
  /// `bytes` in stored blocks (RFC 1951 3.2.4).
  package static func stored(_ bytes: [UInt8], blockByteCount: Int = 0xffff) -> [UInt8] {
    var stream: [UInt8] = []
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(blockByteCount)
      rest = rest.dropFirst(block.count)
      let count = UInt16(block.count)
      stream.append(rest.isEmpty ? 1 : 0)
      for field in [count, ~count] {
        stream += [UInt8(truncatingIfNeeded: field), UInt8(field >> 8)]
      }
      stream += block
    } while !rest.isEmpty
    return stream
  }

  /// 1 + 258 · `runs` zero bytes in one block with fixed codes (RFC 1951 3.2.6): a literal, then
  /// copies of 258 bytes from distance one, each of which takes 13 bits.
  package static func zeros(runs: Int) -> [UInt8] {
    var bits: [UInt8] = [1, 1, 0]
    bits += [0, 0, 1, 1, 0, 0, 0, 0]
    for _ in 0..<runs { bits += [1, 1, 0, 0, 0, 1, 0, 1] + [0, 0, 0, 0, 0] }
    bits += [0, 0, 0, 0, 0, 0, 0]
    return stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<min(start + 8, bits.count)].enumerated().reduce(0) { $0 | $1.1 << $1.0 }
    }
  }
}
