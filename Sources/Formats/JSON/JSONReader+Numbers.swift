package import Bytes

/// Numbers: digits, and what they make.
extension JSONReader {
  /// Reads an integer that is not negative and written without fraction or exponent.
  ///
  /// - Throws: `malformed` if the next value is another, or does not fit 64 bits.
  @_lifetime(self: copy self)
  package mutating func unsignedInteger() throws(FormatError) -> UInt64 {
    skipSpace()
    let start = position
    var value: UInt64 = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (high, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = high.addingReportingOverflow(UInt64(bytes[position] - 0x30))
      guard !overflow, !carry else {
        throw FormatError(.malformed, "an integer does not fit 64 bits", at: base + start)
      }
      value = sum
      position += 1
    }
    let count = position - start
    let isFraction =
      position < bytes.count
      && (bytes[position] == 0x2e || bytes[position] == 0x45 || bytes[position] == 0x65)
    guard count > 0, !isFraction, count == 1 || bytes[start] != 0x30 else {
      position = start
      throw unexpected("an integer that is not negative")
    }
    needsComma = true
    return value
  }

  /// Reads an integer that counts something.
  ///
  /// - Throws: `malformed` if the next value is another, or does not fit 63 bits.
  @_lifetime(self: copy self)
  package mutating func count() throws(FormatError) -> Int {
    let start = offset
    guard let count = Int(exactly: try unsignedInteger()) else {
      throw FormatError(.malformed, "a number does not fit 63 bits", at: start)
    }
    return count
  }

  /// A number as JSON has it.
  package enum Number: Sendable {
    /// Written without fraction and exponent.
    case integer(Int)
    /// Written with either.
    case fraction(Double)
  }

  /// Reads a number.
  ///
  /// - Throws: `malformed` if the next value is another, or an integer that does not fit 64 bits.
  @_lifetime(self: copy self)
  package mutating func number() throws(FormatError) -> Number {
    skipSpace()
    let start = position
    guard position < bytes.count else { throw unexpected("a number") }
    try skipNumber()
    let text = try text(start..<position)
    if let integer = Int(text) { return .integer(integer) }
    guard text.utf8.contains(where: { [0x2e, 0x45, 0x65].contains($0) }), let value = Double(text)
    else {
      throw FormatError(.malformed, "an integer does not fit 64 bits", at: base + start)
    }
    return .fraction(value)
  }

  // MARK: Tokens

  @_lifetime(self: copy self)
  mutating func skipNumber() throws(FormatError) {
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let start = position
    let whole = skipDigits()
    guard whole == 1 || whole > 1 && bytes[start] != 0x30 else {
      position = start
      throw unexpected("a value")
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      guard skipDigits() > 0 else { throw unexpected("a digit") }
    }
    if position < bytes.count, [0x45, 0x65].contains(bytes[position]) {
      position += 1
      if position < bytes.count, [0x2b, 0x2d].contains(bytes[position]) { position += 1 }
      guard skipDigits() > 0 else { throw unexpected("a digit") }
    }
    needsComma = true
  }

  @_lifetime(self: copy self)
  private mutating func skipDigits() -> Int {
    let start = position
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
    return position - start
  }
}
