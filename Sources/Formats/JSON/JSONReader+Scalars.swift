package import CkptBase

/// Strings.
extension JSONReader {
  /// Reads a string.
  ///
  /// - Throws: `malformed` if the next value is another, or breaks the rules of strings.
  @_lifetime(self: copy self)
  package mutating func string() throws(CheckpointError) -> String {
    try expect(UInt8(ascii: "\""), "a string")
    let start = position
    try skipPlainCharacters()
    guard bytes[position] == UInt8(ascii: "\"") else { return try escapedString(from: start) }
    let text = try text(start..<position)
    position += 1
    needsComma = true
    return text
  }

  /// Reads a string that is one of `known` and returns its index.
  ///
  /// For any other string it returns `nil` and reads nothing.
  ///
  /// - Throws: `malformed` if the next value is another, or breaks the rules of strings.
  @_lifetime(self: copy self)
  package mutating func word(among known: [String]) throws(CheckpointError) -> Int? {
    try expect(UInt8(ascii: "\""), "a string")
    let start = position
    try skipPlainCharacters()
    if bytes[position] == UInt8(ascii: "\"") {
      let word = bytes.extracting(start..<position)
      for (number, text) in known.enumerated() where word.isEqual(to: text.utf8.span) {
        position += 1
        needsComma = true
        return number
      }
    }
    position = start - 1
    return nil
  }

  /// Reads a string without escapes.
  ///
  /// For a string with escapes it returns `nil` and reads nothing.
  ///
  /// - Throws: `malformed` if the next value is another, or breaks the rules of strings.
  @_lifetime(copy self)
  package mutating func plainString() throws(CheckpointError) -> Span<UInt8>? {
    try expect(UInt8(ascii: "\""), "a string")
    let start = position
    try skipPlainCharacters()
    guard bytes[position] == UInt8(ascii: "\"") else {
      position = start - 1
      return nil
    }
    let text = bytes.extracting(start..<position)
    guard (try? UTF8Span(validating: text)) != nil else { throw notUTF8(at: start) }
    position += 1
    needsComma = true
    return text
  }

  /// Reads the rest of a string with escapes, from its beginning.
  @_lifetime(self: copy self)
  private mutating func escapedString(from start: Int) throws(CheckpointError) -> String {
    var text: [UInt8] = []
    var plain = start
    while true {
      text.append(copying: bytes.extracting(plain..<position))
      position += 1
      if bytes[position - 1] == UInt8(ascii: "\"") { break }
      try escape(into: &text)
      plain = position
      try skipPlainCharacters()
    }
    needsComma = true
    return try self.text(text.span, at: start)
  }

  /// Skips a string.
  @_lifetime(self: copy self)
  mutating func skipString() throws(CheckpointError) {
    try expect(UInt8(ascii: "\""), "a string")
    let start = position
    while true {
      try skipPlainCharacters()
      if bytes[position] == UInt8(ascii: "\"") { break }
      position += 1
      var ignored: [UInt8] = []
      try escape(into: &ignored)
    }
    // The text between escapes must be UTF-8 too.
    do {
      _ = try UTF8Span(validating: bytes.extracting(start..<position))
    } catch {
      throw notUTF8(at: start)
    }
    position += 1
    needsComma = true
  }

  /// Skips plain characters up to a quote or backslash.
  @_lifetime(self: copy self)
  private mutating func skipPlainCharacters() throws(CheckpointError) {
    let start = position
    defer { WorkCount.add(position - start) }
    while position < bytes.count, bytes[position] >= 0x20 {
      if bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "\\") { return }
      position += 1
    }
    throw unexpected("the end of a string")
  }

  @_lifetime(self: copy self)
  private mutating func escape(into text: inout [UInt8]) throws(CheckpointError) {
    guard position < bytes.count else { throw unexpected("an escape") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var scalar = try hexadecimal()
      if (0xd800..<0xdc00).contains(scalar) {
        try expectImmediately(UInt8(ascii: "\\"))
        try expectImmediately(UInt8(ascii: "u"))
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low) else { throw unexpected("a second surrogate") }
        scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(scalar) else { throw unexpected("a pair of surrogates") }
      text.append(contentsOf: String(Character(scalar)).utf8)
    default:
      position -= 1
      throw unexpected("an escape")
    }
  }

  @_lifetime(self: copy self)
  private mutating func expectImmediately(_ byte: UInt8) throws(CheckpointError) {
    guard position < bytes.count, bytes[position] == byte else {
      throw unexpected("a second surrogate")
    }
    position += 1
  }

  @_lifetime(self: copy self)
  private mutating func hexadecimal() throws(CheckpointError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw unexpected("four hexadecimal digits") }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  /// Returns the text of a range of bytes.
  ///
  /// - Throws: `malformed` if it is not UTF-8.
  func text(_ range: Range<Int>) throws(CheckpointError) -> String {
    try text(bytes.extracting(range), at: range.lowerBound)
  }

  private func text(_ bytes: Span<UInt8>, at start: Int) throws(CheckpointError) -> String {
    do {
      return String(copying: try UTF8Span(validating: bytes))
    } catch {
      throw notUTF8(at: start)
    }
  }

  private func notUTF8(at start: Int) -> CheckpointError {
    CheckpointError(.malformed, "a string is not UTF-8", at: base + start)
  }
}

/// Numbers.
extension JSONReader {
  /// Reads a non-negative integer without fraction or exponent.
  ///
  /// - Throws: `malformed` for another value, or one that does not fit 64 bits.
  @_lifetime(self: copy self)
  package mutating func unsignedInteger() throws(CheckpointError) -> UInt64 {
    skipSpace()
    let start = position
    var value: UInt64 = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (high, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = high.addingReportingOverflow(UInt64(bytes[position] - 0x30))
      guard !overflow, !carry else {
        throw CheckpointError(.malformed, "an integer does not fit 64 bits", at: base + start)
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

  /// Reads an integer that is a count.
  ///
  /// - Throws: `malformed` for another value, or one that does not fit 63 bits.
  @_lifetime(self: copy self)
  package mutating func count() throws(CheckpointError) -> Int {
    let start = offset
    guard let count = Int(exactly: try unsignedInteger()) else {
      throw CheckpointError(.malformed, "a number does not fit 63 bits", at: start)
    }
    return count
  }

  /// Reads an integer that fits 64 bits with a sign.
  ///
  /// - Throws: `malformed` if the next value is something else.
  @_lifetime(self: copy self)
  package mutating func integer() throws(CheckpointError) -> Int {
    guard case .integer(let integer) = try number() else {
      throw CheckpointError(.malformed, "a number that is not an integer", at: offset)
    }
    return integer
  }

  /// Reads an array of one non-negative integer without spaces, if it comes next; otherwise it
  /// returns `nil` and reads nothing.
  @_lifetime(self: copy self)
  package mutating func bracketedInteger() -> Int? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "[") else { return nil }
    let start = position + 1
    var end = start
    while end < bytes.count, end - start < 18, bytes[end] &- 0x30 < 10 { end += 1 }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "]"), end > start,
      end - start == 1 || bytes[start] != 0x30
    else { return nil }
    position = end + 1
    needsComma = true
    return integer(in: start..<end)
  }

  /// A number.
  package enum Number: Sendable {
    /// A number without fraction and exponent.
    case integer(Int)
    /// A number with a fraction or an exponent.
    case fraction(Double)
  }

  /// Reads a number.
  ///
  /// - Throws: `malformed` for another value, or an integer that does not fit 64 bits.
  @_lifetime(self: copy self)
  package mutating func number() throws(CheckpointError) -> Number {
    skipSpace()
    let start = position
    guard position < bytes.count else { throw unexpected("a number") }
    try skipNumber()
    if let integer = integer(in: start..<position) { return .integer(integer) }
    let text = try text(start..<position)
    if let integer = Int(text) { return .integer(integer) }
    guard text.utf8.contains(where: { [0x2e, 0x45, 0x65].contains($0) }), let value = Double(text)
    else {
      throw CheckpointError(.malformed, "an integer does not fit 64 bits", at: base + start)
    }
    return .fraction(value)
  }

  /// Returns the integer of up to eighteen digits in a range, or `nil` for other text.
  private func integer(in range: Range<Int>) -> Int? {
    guard range.count <= 18 else { return nil }
    var value = 0
    for index in range {
      let digit = bytes[index] &- 0x30
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  // MARK: Tokens

  @_lifetime(self: copy self)
  mutating func skipNumber() throws(CheckpointError) {
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
