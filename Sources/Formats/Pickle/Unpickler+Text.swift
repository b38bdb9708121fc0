internal import CkptBase
internal import CkptGraph

/// The opcodes of protocols 0 and 1 whose operands are lines of text.
extension Unpickler {
  func readDecimal(_ reader: inout ByteReader) throws(CheckpointError) -> Int {
    let line = try readASCIILine(&reader)
    guard let value = Int(line), value >= 0 else {
      throw CheckpointError(.malformed, "'\(line)' is not a memo index")
    }
    return value
  }

  mutating func pushTextInt(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try readASCIILine(&reader)
    switch line {
    case "00": push(TensorGraph.false)
    case "01": push(TensorGraph.true)
    default: try pushDecimal(line)
    }
  }

  mutating func pushTextLong(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try readASCIILine(&reader)
    try pushDecimal(line.hasSuffix("L") ? String(line.dropLast()) : line)
  }

  mutating func pushTextFloat(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try readASCIILine(&reader)
    guard let value = Double(line) else {
      throw CheckpointError(.malformed, "'\(line)' is not a float")
    }
    push(try graph.add(.float(value)))
  }

  /// Pushes a str written with Python's quotes and escapes (`repr` of a Python 2 str).
  mutating func pushQuotedString(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try reader.readLine()
    var end = line.count
    while end > 0, [0x20, 0x09, 0x0d].contains(line[end - 1]) { end -= 1 }
    guard end >= 2, line[0] == line[end - 1], [0x22, 0x27].contains(line[0]) else {
      throw CheckpointError(.malformed, "a str lacks its quotes")
    }
    let bytes = try unescape(line.extracting(1..<end - 1))
    try pushOldString(bytes.span)
  }

  /// Pushes a str in Python's `raw-unicode-escape`: Latin-1 with `\u` and `\U` escapes.
  mutating func pushRawUnicode(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try reader.readLine()
    var utf8: [UInt8] = []
    var index = 0
    while index < line.count {
      let byte = line[index]
      index += 1
      let digits = index < line.count && byte == 0x5c ? hexDigits(afterEscape: line[index]) : 0
      guard digits > 0 else {
        utf8 += PythonText.utf8(latin1: CollectionOfOne(byte))
        continue
      }
      utf8 += try utf8Bytes(ofScalar: hexadecimal(line, from: index + 1, count: digits))
      index += 1 + digits
    }
    push(try graph.add(.string(graph.addBytes(utf8))))
  }

  /// The number of digits after `\u` or `\U`; zero for another character.
  private func hexDigits(afterEscape letter: UInt8) -> Int {
    switch letter {
    case UInt8(ascii: "u"): 4
    case UInt8(ascii: "U"): 8
    default: 0
    }
  }

  func unescape(_ text: Span<UInt8>) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    var index = 0
    while index < text.count {
      let byte = text[index]
      index += 1
      guard byte == 0x5c, index < text.count else {
        bytes.append(byte)
        continue
      }
      let escape = text[index]
      index += 1
      switch escape {
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
      case UInt8(ascii: "n"): bytes.append(0x0a)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "r"): bytes.append(0x0d)
      case UInt8(ascii: "a"): bytes.append(0x07)
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0c)
      case UInt8(ascii: "v"): bytes.append(0x0b)
      case UInt8(ascii: "x"):
        bytes.append(UInt8(truncatingIfNeeded: try hexadecimal(text, from: index, count: 2)))
        index += 2
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        var value = UInt32(escape - 0x30)
        var digits = 1
        while digits < 3, index < text.count, (0x30...0x37).contains(text[index]) {
          value = value << 3 | UInt32(text[index] - 0x30)
          index += 1
          digits += 1
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
      default: bytes += [0x5c, escape]
      }
    }
    return bytes
  }

  private func hexadecimal(
    _ text: Span<UInt8>, from start: Int, count: Int
  ) throws(CheckpointError) -> UInt32 {
    var value: UInt32 = 0
    for index in start..<start + count {
      guard index < text.count, let digit = Character(Unicode.Scalar(text[index])).hexDigitValue
      else { throw CheckpointError(.malformed, "an escape needs \(count) hexadecimal digits") }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// The UTF-8 bytes of a code point, surrogates included.
  private func utf8Bytes(ofScalar value: UInt32) throws(CheckpointError) -> [UInt8] {
    if let scalar = Unicode.Scalar(value) { return Array(String(Character(scalar)).utf8) }
    guard (0xd800...0xdfff).contains(value) else {
      throw CheckpointError(.malformed, "\\U\(String(value, radix: 16)) is not a Unicode character")
    }
    return [
      UInt8(0xe0 | value >> 12), UInt8(0x80 | value >> 6 & 0x3f), UInt8(0x80 | value & 0x3f),
    ]
  }

  private mutating func pushDecimal(_ text: String) throws(CheckpointError) {
    if let value = Int(text) { return try pushInt(value) }
    let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    // CPython has the same limit on decimal text, because the conversion is quadratic.
    guard !digits.isEmpty, digits.utf8.count <= 4300,
      digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { throw CheckpointError(.malformed, "'\(text.prefix(40))' is not an int") }
    var magnitude: [UInt8] = []
    for digit in digits.utf8 {
      var carry = UInt(digit - 0x30)
      for index in magnitude.indices {
        carry += UInt(magnitude[index]) * 10
        magnitude[index] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
      if carry > 0 { magnitude.append(UInt8(carry)) }
    }
    magnitude.append(0)
    if text.hasPrefix("-") {
      var carry: UInt = 1
      for index in magnitude.indices {
        carry += UInt(~magnitude[index])
        magnitude[index] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
    }
    try pushLong(littleEndian: magnitude.span)
  }

  func readASCIILine(_ reader: inout ByteReader) throws(CheckpointError) -> String {
    let line = try reader.readLine()
    var text = ""
    for index in line.indices {
      guard line[index] < 0x80 else { throw CheckpointError(.malformed, "a line is not ASCII") }
      text.unicodeScalars.append(Unicode.Scalar(line[index]))
    }
    return text
  }
}

/// Text encodings of Python: UTF-8 with `surrogatepass`, and Latin-1.
package enum PythonText: Sendable {
  /// Whether `bytes` are UTF-8 that may hold lone surrogates of three bytes each, the form of str
  /// in CPython's pickles.
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

  /// Returns the bytes that decode as the text `utf8` in Latin-1, or `nil` if other characters
  /// occur.
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

  /// Returns the UTF-8 form of Latin-1 `bytes`.
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
