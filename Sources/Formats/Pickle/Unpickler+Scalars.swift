internal import Bytes
internal import Graph

/// Numbers, text and bytes of the binary protocols.
extension Unpickler {
  mutating func pushInt(_ value: Int) throws(FormatError) { push(try graph.add(.int(value))) }

  mutating func pushLong(byteCount: Int, _ reader: inout ByteReader) throws(FormatError) {
    try pushLong(littleEndian: reader.readBytes(count: byteCount))
  }

  /// Pushes the int that `bytes` hold in little-endian two's complement, of any length.
  mutating func pushLong(littleEndian bytes: Span<UInt8>) throws(FormatError) {
    var count = bytes.count
    while count > 1, bytes[count - 1] == (bytes[count - 2] & 0x80 == 0 ? 0x00 : 0xff) { count -= 1 }
    guard count > 8 else {
      var value = count > 0 && bytes[count - 1] & 0x80 != 0 ? -1 : 0
      for index in (0..<count).reversed() { value = value << 8 | Int(bytes[index]) }
      return try pushInt(value)
    }
    push(try graph.add(.largeInt(graph.addBytes(bytes.extracting(first: count)))))
  }

  mutating func pushBinaryFloat(_ reader: inout ByteReader) throws(FormatError) {
    let bits = try reader.readBigEndianInteger(as: UInt64.self)
    push(try graph.add(.float(Double(bitPattern: bits))))
  }

  mutating func pushText(_ byteCount: Int, _ reader: inout ByteReader) throws(FormatError) {
    let bytes = try reader.readBytes(count: byteCount)
    guard PythonText.isUTF8WithSurrogates(bytes) else {
      throw FormatError(.malformed, "a str of \(byteCount) bytes is not UTF-8")
    }
    push(try graph.add(.string(graph.addBytes(bytes))))
  }

  mutating func pushBytes(_ byteCount: Int, _ reader: inout ByteReader) throws(FormatError) {
    push(try graph.add(.bytes(graph.addBytes(reader.readBytes(count: byteCount)))))
  }

  mutating func pushByteArray(_ byteCount: Int, _ reader: inout ByteReader) throws(FormatError) {
    push(try graph.add(.byteArray(graph.addBytes(reader.readBytes(count: byteCount)))))
  }

  /// Pushes a Python 2 str: a str if it is UTF-8, which is how torch decodes it, else bytes.
  mutating func pushOldString(_ byteCount: Int, _ reader: inout ByteReader) throws(FormatError) {
    try pushOldString(reader.readBytes(count: byteCount))
  }

  mutating func pushOldString(_ bytes: Span<UInt8>) throws(FormatError) {
    let run = try graph.addBytes(bytes)
    push(try graph.add(PythonText.isUTF8WithSurrogates(bytes) ? .string(run) : .bytes(run)))
  }
}
