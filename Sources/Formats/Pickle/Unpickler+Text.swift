internal import Bytes
internal import Graph

/// The operations of protocols 0 and 1 whose arguments are lines of text.
extension Unpickler {
  func readDecimal(_ reader: inout ByteReader) throws(FormatError) -> Int {
    let line = try readASCIILine(&reader)
    guard let value = Int(line), value >= 0 else {
      throw FormatError(.malformed, "'\(line)' is not a memo index")
    }
    return value
  }

  mutating func pushTextInt(_ reader: inout ByteReader) throws(FormatError) {
    let line = try readASCIILine(&reader)
    switch line {
    case "00": push(TensorGraph.false)
    case "01": push(TensorGraph.true)
    default: try pushDecimal(line)
    }
  }

  mutating func pushTextLong(_ reader: inout ByteReader) throws(FormatError) {
    let line = try readASCIILine(&reader)
    try pushDecimal(line.hasSuffix("L") ? String(line.dropLast()) : line)
  }

  mutating func pushTextFloat(_ reader: inout ByteReader) throws(FormatError) {
    let line = try readASCIILine(&reader)
    guard let value = Double(line) else {
      throw FormatError(.malformed, "'\(line)' is not a float")
    }
    push(try graph.add(.float(value)))
  }

  mutating func pushTextPersistentID(_ reader: inout ByteReader) throws(FormatError) {
    let line = try readASCIILine(&reader)
    push(try graph.add(.persistent(graph.addString(line))))
  }

  /// Pushes a str written with Python's quotes and escapes (`repr` of a Python 2 str).
  mutating func pushQuotedString(_ reader: inout ByteReader) throws(FormatError) {
    let line = try reader.readLine()
    var end = line.count
    while end > 0, [0x20, 0x09, 0x0d].contains(line[end - 1]) { end -= 1 }
    guard end >= 2, line[0] == line[end - 1], [0x22, 0x27].contains(line[0]) else {
      throw FormatError(.malformed, "the quotes around a str are missing")
    }
    let bytes = try unescape(line.extracting(1..<end - 1))
    try pushOldString(bytes.span)
  }

  /// Pushes a str written in Python's `raw-unicode-escape`: Latin-1 with `\u` and `\U` escapes.
  mutating func pushRawUnicode(_ reader: inout ByteReader) throws(FormatError) {
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

  /// How many digits follow `\u` or `\U`; none follow another character.
  private func hexDigits(afterEscape letter: UInt8) -> Int {
    switch letter {
    case UInt8(ascii: "u"): 4
    case UInt8(ascii: "U"): 8
    default: 0
    }
  }

  private func unescape(_ text: Span<UInt8>) throws(FormatError) -> [UInt8] {
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
  ) throws(FormatError) -> UInt32 {
    var value: UInt32 = 0
    for index in start..<start + count {
      guard index < text.count, let digit = Character(Unicode.Scalar(text[index])).hexDigitValue
      else { throw FormatError(.malformed, "an escape needs \(count) hexadecimal digits") }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// The three or so bytes of a code point, surrogates included.
  private func utf8Bytes(ofScalar value: UInt32) throws(FormatError) -> [UInt8] {
    if let scalar = Unicode.Scalar(value) { return Array(String(Character(scalar)).utf8) }
    guard (0xd800...0xdfff).contains(value) else {
      throw FormatError(.malformed, "\\U\(String(value, radix: 16)) is not a Unicode character")
    }
    return [
      UInt8(0xe0 | value >> 12), UInt8(0x80 | value >> 6 & 0x3f), UInt8(0x80 | value & 0x3f),
    ]
  }

  private mutating func pushDecimal(_ text: String) throws(FormatError) {
    if let value = Int(text) { return try pushInt(value) }
    let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    // CPython's own bound on decimal text, since the conversion is quadratic.
    guard !digits.isEmpty, digits.utf8.count <= 4300,
      digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { throw FormatError(.malformed, "'\(text.prefix(40))' is not an int") }
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

  func readASCIILine(_ reader: inout ByteReader) throws(FormatError) -> String {
    let line = try reader.readLine()
    var text = ""
    for index in line.indices {
      guard line[index] < 0x80 else { throw FormatError(.malformed, "a line is not ASCII") }
      text.unicodeScalars.append(Unicode.Scalar(line[index]))
    }
    return text
  }
}
