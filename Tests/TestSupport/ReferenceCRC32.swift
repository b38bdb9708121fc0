/// CRC-32 bit by bit, as its definition reads (APPNOTE 4.4.7), to test faster ones against.
package func referenceCRC32(_ bytes: some Sequence<UInt8>) -> UInt32 {
  var register = UInt32.max
  for byte in bytes {
    register ^= UInt32(byte)
    for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0xedb8_8320 : register >> 1 }
  }
  return ~register
}
