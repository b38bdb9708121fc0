internal import CkptBase

/// The values of unquoted text.
///
/// The rules are those of OmegaConf 2.3: PyYAML's resolver (YAML 1.1: `yes` is true, `017` is
/// fifteen, `1:30` is ninety), with two exceptions. An exponent needs neither dot nor sign, so
/// `1e-5` is a number. Dates are text.
enum PlainScalar {
  /// Returns the value of `text`.
  ///
  /// - Throws: `malformed` for an integer without digits, `limitExceeded` for one beyond 64 bits.
  static func resolve(_ text: String) throws(CheckpointError) -> YAMLScalar {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return .bool(false)
    case ".nan", ".NaN", ".NAN": return .number(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
    default: break
    }
    // Numbers begin like this; all other text needs one comparison.
    guard let first = text.utf8.first, isDigit(first) || first == UInt8(ascii: ".") || isSign(first)
    else { return .string(text) }
    var number = PlainNumber(text)
    return try number.value() ?? .string(text)
  }

  /// Whether `text` can be written without quotes, because every reader takes it for text.
  static func isText(_ text: String) -> Bool {
    guard let value = try? resolve(text), case .string = value else { return false }
    // OmegaConf reads these as text, but PyYAML as a date, a merge or a default value.
    return !isDate(text) && text != "<<" && text != "="
  }

  /// Whether PyYAML takes `text`, or its beginning, for a date.
  private static func isDate(_ text: String) -> Bool {
    let bytes = Array(text.utf8.prefix(10))
    guard bytes.count >= 8, bytes[..<4].allSatisfy(isDigit) else { return false }
    return bytes[4] == UInt8(ascii: "-") && isDigit(bytes[5])
  }

  static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  static func isSign(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
  }
}

/// A parser of unquoted numbers.
///
/// The forms are those of PyYAML's `int` and `float` resolvers and of OmegaConf, tried in their
/// order.
struct PlainNumber {
  private let text: String
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) {
    self.text = text
    bytes = Array(text.utf8)
  }

  /// Returns the value, or `nil` for text that is not a number.
  mutating func value() throws(CheckpointError) -> YAMLScalar? {
    let isSigned = PlainScalar.isSign(bytes[0])
    if isSigned { position = 1 }
    if let radix = prefixedRadix() { return try prefixedInteger(radix) }
    let isZeroFirst = peek() == UInt8(ascii: "0")
    let wholePart = skipDigitsAndUnderscores()
    if wholePart.isEmpty {
      // A sign before the dot, or a dot without digits, makes it text.
      guard !isSigned, let next = peek(1), PlainScalar.isDigit(next) else { return nil }
    }
    switch peek() {
    case nil: return try integer(wholePart, isZeroFirst: isZeroFirst)
    case UInt8(ascii: ":"):
      return try sexagesimal(isWhole: !isZeroFirst)
    case UInt8(ascii: "."):
      position += 1
      _ = skipDigitsAndUnderscores(mayBeginWithUnderscore: true)
      guard peek() != nil else { return double() }
      return skipExponent(needsSign: wholePart.isEmpty || !isTidy(wholePart)) ? double() : nil
    default:
      return isTidy(wholePart) && skipExponent(needsSign: false) ? double() : nil
    }
  }

  private func peek(_ ahead: Int = 0) -> UInt8? {
    position + ahead < bytes.count ? bytes[position + ahead] : nil
  }

  /// Skips `[0-9][0-9_]*`, or `[0-9_]*`.
  private mutating func skipDigitsAndUnderscores(mayBeginWithUnderscore: Bool = false) -> Range<Int>
  {
    let start = position
    while let byte = peek(),
      PlainScalar.isDigit(byte)
        || byte == UInt8(ascii: "_") && (mayBeginWithUnderscore || position > start)
    {
      position += 1
    }
    return start..<position
  }

  /// Whether underscores are only between digits, as OmegaConf's own form needs.
  private func isTidy(_ range: Range<Int>) -> Bool {
    let underscore = UInt8(ascii: "_")
    return bytes[range].last != underscore
      && !range.dropFirst().contains { bytes[$0] == underscore && bytes[$0 - 1] == underscore }
  }

  /// Skips `[eE][-+]?[0-9]+` at the end of the text.
  ///
  /// Returns whether it was there.
  private mutating func skipExponent(needsSign: Bool) -> Bool {
    guard let letter = peek(), letter | 0x20 == UInt8(ascii: "e") else { return false }
    position += 1
    if let sign = peek(), PlainScalar.isSign(sign) {
      position += 1
    } else if needsSign {
      return false
    }
    let digits = bytes[position...]
    return !digits.isEmpty && digits.allSatisfy(PlainScalar.isDigit)
  }

  // MARK: Integers

  private mutating func prefixedRadix() -> Int? {
    guard peek() == UInt8(ascii: "0") else { return nil }
    switch peek(1) {
    case UInt8(ascii: "b"): return 2
    case UInt8(ascii: "x"): return 16
    default: return nil
    }
  }

  private func prefixedInteger(_ radix: Int) throws(CheckpointError) -> YAMLScalar? {
    let digits = bytes[(position + 2)...]
    let isNumber = digits.allSatisfy { byte in
      if byte == UInt8(ascii: "_") { return true }
      let digit = Character(Unicode.Scalar(byte)).hexDigitValue
      return digit.map { $0 < radix } ?? false
    }
    guard !digits.isEmpty, isNumber else { return nil }
    return try integer(digits, radix: radix)
  }

  private func integer(_ range: Range<Int>, isZeroFirst: Bool) throws(CheckpointError)
    -> YAMLScalar?
  {
    let digits = bytes[range]
    guard isZeroFirst, digits.count > 1 else { return try integer(digits, radix: 10) }
    // A leading zero means octal; with an eight or a nine it is not a number.
    let isOctal = digits.allSatisfy { $0 == UInt8(ascii: "_") || $0 < UInt8(ascii: "8") }
    return isOctal ? try integer(digits, radix: 8) : nil
  }

  private func integer(_ digits: ArraySlice<UInt8>, radix: Int) throws(CheckpointError)
    -> YAMLScalar
  {
    let sign = bytes[0] == UInt8(ascii: "-") ? "-" : ""
    let plain = String(decoding: digits.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    guard !plain.isEmpty else {
      throw CheckpointError(.malformed, "'\(text)' has no digits", remedy: "quote it if it is text")
    }
    guard let value = Int(sign + plain, radix: radix) else { throw Self.tooLarge(text) }
    return .integer(value)
  }

  // MARK: Numbers to the base sixty and with fractions

  /// Reads `:MM` parts: a whole number or, before a dot, one with a fraction.
  private mutating func sexagesimal(isWhole: Bool) throws(CheckpointError) -> YAMLScalar? {
    while peek() == UInt8(ascii: ":") {
      position += 1
      guard let digit = peek(), PlainScalar.isDigit(digit) else { return nil }
      position += 1
      if let second = peek(), PlainScalar.isDigit(second) {
        guard digit < UInt8(ascii: "6") else { return nil }
        position += 1
      }
    }
    let hasFraction = peek() == UInt8(ascii: ".")
    if hasFraction {
      position += 1
      _ = skipDigitsAndUnderscores(mayBeginWithUnderscore: true)
    }
    guard peek() == nil, hasFraction || isWhole else { return nil }
    return hasFraction ? sexagesimalDouble() : try sexagesimalInteger()
  }

  /// The parts without sign and underscores, the last one first.
  private var partsFromTheLast: [String] {
    let unsigned = PlainScalar.isSign(bytes[0]) ? bytes.dropFirst() : bytes[...]
    let plain = String(decoding: unsigned.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    return plain.split(separator: ":").reversed().map(String.init)
  }

  private func sexagesimalInteger() throws(CheckpointError) -> YAMLScalar {
    var sum = 0
    for part in partsFromTheLast.reversed() {
      let (shifted, overflow) = sum.multipliedReportingOverflow(by: 60)
      guard let digit = Int(part), !overflow else { throw Self.tooLarge(text) }
      let (next, carry) = shifted.addingReportingOverflow(digit)
      guard !carry else { throw Self.tooLarge(text) }
      sum = next
    }
    return .integer(bytes[0] == UInt8(ascii: "-") ? -sum : sum)
  }

  private func sexagesimalDouble() -> YAMLScalar {
    var sum = 0.0
    var base = 1.0
    for part in partsFromTheLast {
      sum += (Double(part) ?? .nan) * base
      base *= 60
    }
    return .number(bytes[0] == UInt8(ascii: "-") ? -sum : sum)
  }

  private func double() -> YAMLScalar? {
    Double(String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self))
      .map(YAMLScalar.number)
  }

  private static func tooLarge(_ text: String) -> CheckpointError {
    CheckpointError(.limitExceeded, "the integer '\(text)' does not fit 64 bits")
  }
}
