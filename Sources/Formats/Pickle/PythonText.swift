/// Python's views of text bytes: `surrogatepass` UTF-8 and Latin-1.
package enum PythonText: Sendable {
  /// Whether `bytes` are UTF-8 in which lone surrogates may stand as three bytes, which is how
  /// CPython pickles str.
  package static func isUTF8WithSurrogates(_ bytes: Span<UInt8>) -> Bool {
    var index = 0
    while index < bytes.count {
      let lead = bytes[index]
      index += 1
      if lead < 0x80 { continue }
      let (count, least): (Int, UInt32)
      switch lead {
      case 0xc2...0xdf: (count, least) = (1, 0x80)
      case 0xe0...0xef: (count, least) = (2, 0x800)
      case 0xf0...0xf4: (count, least) = (3, 0x10000)
      default: return false
      }
      guard bytes.count - index >= count else { return false }
      var scalar = UInt32(lead) & (0x3f >> UInt32(count))
      for _ in 0..<count {
        guard bytes[index] & 0xc0 == 0x80 else { return false }
        scalar = scalar << 6 | UInt32(bytes[index] & 0x3f)
        index += 1
      }
      guard scalar >= least, scalar <= 0x10ffff else { return false }
    }
    return true
  }

  /// The bytes whose Latin-1 decoding is the text `utf8`, or `nil` if it has other characters.
  package static func latin1(_ utf8: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count)
    var index = utf8.startIndex
    while index < utf8.endIndex {
      let lead = utf8[index]
      index += 1
      if lead < 0x80 {
        bytes.append(lead)
      } else if lead == 0xc2 || lead == 0xc3, index < utf8.endIndex {
        bytes.append((lead & 0x03) << 6 | utf8[index] & 0x3f)
        index += 1
      } else {
        return nil
      }
    }
    return bytes
  }

  /// The UTF-8 form of `bytes` decoded as Latin-1.
  static func utf8(latin1 bytes: some Collection<UInt8>) -> [UInt8] {
    var utf8: [UInt8] = []
    utf8.reserveCapacity(bytes.count * 3 / 2)
    for byte in bytes {
      if byte < 0x80 {
        utf8.append(byte)
      } else {
        utf8.append(0xc0 | byte >> 6)
        utf8.append(0x80 | byte & 0x3f)
      }
    }
    return utf8
  }
}
