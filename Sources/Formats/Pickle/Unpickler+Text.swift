internal import CkptBase
internal import CkptGraph

/// The opcodes of protocols 0 and 1 whose operands are lines of text.
extension Unpickler {
  /// Reads the number of a memo entry.
  ///
  /// `Lib/pickle.py` takes a number of any size: one beyond 64 bits gets a negative one here.
  mutating func readMemoIndex(_ reader: inout ByteReader) throws(CheckpointError) -> Int {
    let line = try reader.readLine()
    guard let bytes = try numeral(line, .decimal, "a memo index"),
      bytes.last.map({ $0 & 0x80 == 0 }) == true
    else { throw Self.unreadable(line, as: "a memo index") }
    if let value = Self.int(littleEndian: bytes.span) { return value }
    guard unsafeGlobals == .report else { throw Self.unreadable(line, as: "a memo index") }
    if let known = largeMemoIndices[bytes] { return known }
    largeMemoIndices[bytes] = -1 - largeMemoIndices.count
    return -largeMemoIndices.count
  }

  mutating func pushTextInt(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try reader.readLine()
    if line.count == 2, line[0] == UInt8(ascii: "0"), line[1] | 1 == UInt8(ascii: "1") {
      return push(line[1] == UInt8(ascii: "1") ? TensorGraph.true : TensorGraph.false)
    }
    try pushNumeral(line)
  }

  mutating func pushTextLong(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try reader.readLine()
    let hasSuffix = line.count > 0 && line[line.count - 1] == UInt8(ascii: "L")
    try pushNumeral(line.extracting(first: line.count - (hasSuffix ? 1 : 0)))
  }

  private mutating func pushNumeral(_ line: Span<UInt8>) throws(CheckpointError) {
    guard let bytes = try numeral(line, .prefixed, "an int") else { return try pushInt(0) }
    try pushLong(littleEndian: bytes.span)
  }

  /// The value of a line of text as an integer; `nil` where it has too many digits to be computed.
  ///
  /// Only a scan takes what no pickler writes.
  private func numeral(
    _ line: Span<UInt8>, _ notation: PythonNumeral.Notation, _ what: String
  ) throws(CheckpointError) -> [UInt8]? {
    guard let numeral = PythonNumeral(line, notation),
      numeral.bytes != nil || unsafeGlobals == .report
    else { throw Self.unreadable(line, as: what) }
    guard numeral.isPlain || unsafeGlobals == .report else { throw Self.unusual(line, what) }
    return numeral.bytes
  }

  mutating func pushTextFloat(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try reader.readLine()
    guard let float = PythonFloat(line) else { throw Self.unreadable(line, as: "a float") }
    guard float.isPlain || unsafeGlobals == .report else { throw Self.unusual(line, "a float") }
    push(try graph.add(.float(float.value)))
  }

  private static func unreadable(_ line: Span<UInt8>, as what: String) -> CheckpointError {
    CheckpointError(.malformed, "'\(beginning(of: line))' is not \(what)")
  }

  /// The error for a number that Python takes, and that no pickler spells like this.
  private static func unusual(_ line: Span<UInt8>, _ what: String) -> CheckpointError {
    CheckpointError(
      .unsupported, "\(what) is spelled '\(beginning(of: line))', as no pickler spells it",
      remedy: "do not load this file with Python: see what it would run with 'scan'")
  }

  private static func beginning(of line: Span<UInt8>) -> String {
    String(decoding: (0..<min(line.count, 40)).map { line[$0] }, as: UTF8.self)
  }

  /// Pushes a str written with Python's quotes and escapes (`repr` of a Python 2 str).
  mutating func pushQuotedString(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try reader.readLine()
    let end = line.count
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
      let next = index < line.count && byte == 0x5c ? line[index] : nil
      let digits = next.map(Self.hexDigits(afterEscape:)) ?? 0
      guard digits > 0 else {
        utf8 += PythonText.utf8(latin1: CollectionOfOne(byte))
        // A backslash behind a backslash begins no escape.
        if next == 0x5c {
          utf8.append(0x5c)
          index += 1
        }
        continue
      }
      utf8 += try utf8Bytes(ofScalar: hexadecimal(line, from: index + 1, count: digits))
      index += 1 + digits
    }
    push(try graph.add(.string(graph.addBytes(utf8))))
  }

  /// The number of digits after `\u` or `\U`; zero for another character.
  private static func hexDigits(afterEscape letter: UInt8) -> Int {
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
      guard byte == 0x5c else {
        bytes.append(byte)
        continue
      }
      guard index < text.count else {
        throw CheckpointError(.malformed, "a str ends inside an escape")
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
