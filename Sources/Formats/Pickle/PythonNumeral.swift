internal import CkptBase

/// An integer in the text of protocols 0 and 1, as CPython's unpicklers read it.
///
/// Picklers write a sign and decimal digits. Unpicklers hand the line to `strtol` and `int()`, which
/// also take white space, other bases, underscores and leading zeros, and to C functions, for which
/// the line ends at a zero byte (CPython `Modules/_pickle.c`, `load_int`, `load_long`, `load_get`).
struct PythonNumeral {
  /// The notations that a line may have.
  enum Notation {
    /// Decimal digits: `int(text, 10)`.
    case decimal
    /// The notation that a prefix names, and octal after a zero: `strtol(text, 0)`, `int(text, 0)`.
    case prefixed
  }

  /// The most decimal digits that CPython converts, since that takes quadratic time.
  static let digitLimit = 4300

  /// The value in little-endian two's complement; `nil` where it has too many digits to be computed.
  let bytes: [UInt8]?
  /// Whether a pickler of CPython writes the number like this.
  let isPlain: Bool

  /// Reads a line; `nil` when CPython takes it for no integer.
  init?(_ line: Span<UInt8>, _ notation: Notation) {
    var end = 0
    while end < line.count, line[end] != 0 { end += 1 }
    var start = 0
    while start < end, Self.isSpace(line[start]) { start += 1 }
    while end > start, Self.isSpace(line[end - 1]) { end -= 1 }
    let isTrimmed = start == 0 && end == line.count
    var sign: UInt8?
    if start < end, [UInt8(ascii: "-"), UInt8(ascii: "+")].contains(line[start]) {
      sign = line[start]
      start += 1
    }
    let first = start
    var radix: UInt8 = 10
    if notation == .prefixed, end - start > 1, line[start] == UInt8(ascii: "0") {
      radix = Self.radix(ofPrefix: line[start + 1]) ?? 8
      start += radix == 8 && Self.radix(ofPrefix: line[start + 1]) == nil ? 1 : 2
      // One underscore may follow the prefix.
      if start < end, line[start] == UInt8(ascii: "_") { start += 1 }
    }
    guard let digits = Self.digits(line, start..<end, radix) else { return nil }
    let hasLeadingZero = end - first > 1 && line[first] == UInt8(ascii: "0")
    isPlain =
      isTrimmed && radix == 10 && digits.count == end - first && !hasLeadingZero
      && sign != UInt8(ascii: "+")
    bytes = Self.value(of: digits, radix, isNegative: sign == UInt8(ascii: "-"))
  }

  /// The bytes that C's `isspace` takes for white space.
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  private static func radix(ofPrefix letter: UInt8) -> UInt8? {
    switch letter | 0x20 {
    case UInt8(ascii: "x"): 16
    case UInt8(ascii: "o"): 8
    case UInt8(ascii: "b"): 2
    default: nil
    }
  }

  /// The values of digits between which single underscores may stand; `nil` for anything else.
  private static func digits(
    _ line: Span<UInt8>, _ range: Range<Int>, _ radix: UInt8
  ) -> [UInt8]? {
    var digits: [UInt8] = []
    var mayPause = false
    for index in range {
      if line[index] == UInt8(ascii: "_"), mayPause, index + 1 < range.upperBound {
        mayPause = false
        continue
      }
      guard let digit = Character(Unicode.Scalar(line[index])).hexDigitValue, digit < Int(radix)
      else { return nil }
      digits.append(UInt8(digit))
      mayPause = true
    }
    return digits.isEmpty ? nil : digits
  }

  /// The value of digits; at most ``digitLimit`` are converted.
  private static func value(of digits: [UInt8], _ radix: UInt8, isNegative: Bool) -> [UInt8]? {
    guard digits.count <= digitLimit else { return nil }
    var words: [UInt64] = []
    // As many digits at once as fit a word: the time is quadratic in the number of words.
    for start in stride(from: 0, to: digits.count, by: 15) {
      let chunk = digits[start..<min(start + 15, digits.count)]
      var (scale, carry): (UInt64, UInt64) = (1, 0)
      for digit in chunk {
        scale *= UInt64(radix)
        carry = carry * UInt64(radix) + UInt64(digit)
      }
      for index in words.indices {
        let product = words[index].multipliedFullWidth(by: scale)
        let (low, overflow) = product.low.addingReportingOverflow(carry)
        words[index] = low
        carry = product.high + (overflow ? 1 : 0)
      }
      if carry > 0 { words.append(carry) }
    }
    words.append(0)
    if isNegative {
      var carry = true
      for index in words.indices {
        let (word, overflow) = (~words[index]).addingReportingOverflow(carry ? 1 : 0)
        (words[index], carry) = (word, overflow)
      }
    }
    return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }
}

/// A float in the text of protocol 0, as `float()` reads it.
struct PythonFloat {
  /// The value.
  let value: Double
  /// Whether a pickler of CPython writes floats like this.
  let isPlain: Bool

  /// Reads a line; `nil` when CPython takes it for no float.
  init?(_ line: Span<UInt8>) {
    var text = ""
    for index in line.indices {
      guard line[index] < 0x80 else { return nil }
      if line[index] == 0 { break }
      text.unicodeScalars.append(Unicode.Scalar(line[index]))
    }
    let trimmed = text.drop { PythonNumeral.isSpace($0.asciiValue ?? 0) }
    let body = String(
      trimmed.reversed().drop { PythonNumeral.isSpace($0.asciiValue ?? 0) }.reversed())
    guard Self.isFloat(body), let value = Double(body.filter { $0 != "_" }) else { return nil }
    self.value = value
    // The C machine refuses digits that are beyond the largest float.
    let isOverflow = value.isInfinite && body.contains(where: \.isNumber)
    isPlain = body.utf8.count == line.count && !body.contains("_") && !isOverflow
  }

  /// Whether `text` has the form of Python's float literals, names of no numbers included; Swift
  /// takes hexadecimal ones too.
  private static func isFloat(_ text: String) -> Bool {
    let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    if ["inf", "infinity", "nan"].contains(unsigned.lowercased()) { return true }
    var hasDigit = false
    var last: Character = "."
    for character in unsigned {
      switch character {
      case "0"..."9": hasDigit = true
      case "_": guard last.isNumber else { return false }
      case "e", "E", ".", "-", "+": guard last != "_" else { return false }
      default: return false
      }
      last = character
    }
    return hasDigit && last != "_"
  }
}
