internal import CkptBase

/// Writes JSON in the style of other programs, byte for byte.
package struct JSONWriter: Sendable {
  /// A style of JSON.
  package enum Style: Sendable {
    /// Compact, with exactly the escapes of Rust's `serde_json`, which the reference safetensors
    /// writer uses: quote, backslash and control characters below 0x20.
    case compact
    /// The style of Python's `json.dumps` with an indent of two; characters beyond ASCII are
    /// escaped.
    case python
  }

  /// The text so far, as UTF-8.
  package private(set) var bytes: [UInt8] = []
  private let style: Style
  private var needsComma = false
  /// The number of open objects and arrays.
  private var depth = 0
  /// Whether the value of a member comes next.
  private var isValue = false

  /// Creates an empty text.
  package init(style: Style = .compact) { self.style = style }

  /// Opens an object.
  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  /// Closes an object.
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  /// Opens an array.
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  /// Closes an array.
  package mutating func endArray() { close(UInt8(ascii: "]")) }

  /// Writes the name of an object's member; its value must follow.
  package mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    if style == .python { bytes.append(UInt8(ascii: " ")) }
    needsComma = false
    isValue = true
  }

  /// Writes a string.
  package mutating func string(_ text: String) {
    separate()
    WorkCount.add(text.utf8.count)
    bytes.append(UInt8(ascii: "\""))
    if style == .python, !text.utf8.allSatisfy({ $0 < 0x7f }) {
      for unit in text.utf16 { escape(unit) }
    } else {
      escape(text.utf8.span)
    }
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  /// Writes a string from UTF-8 without validating it.
  package mutating func string(utf8 text: ArraySlice<UInt8>) {
    guard style == .compact else { return string(String(decoding: text, as: UTF8.self)) }
    separate()
    WorkCount.add(text.count)
    bytes.append(UInt8(ascii: "\""))
    escape(text.span)
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  /// Writes an integer.
  package mutating func integer(_ value: Int) {
    separate()
    append(decimal: value)
    needsComma = true
  }

  /// Writes a finite number as the shortest decimal that reads back to the same value and cannot be
  /// mistaken for an integer.
  package mutating func number(_ value: Double) { raw(value.description) }

  /// Writes `true` or `false`.
  package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

  /// Writes `null`.
  package mutating func null() { raw("null") }

  /// Writes a value that is JSON text already, in the style of this document.
  package mutating func value(json text: String) { raw(text) }

  /// Writes an array of integers.
  package mutating func integers(_ values: [Int]) {
    beginArray()
    for value in values { integer(value) }
    endArray()
  }

  /// Writes a string member, or `null` for `nil`.
  package mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  /// Writes a boolean member.
  package mutating func member(_ name: String, _ value: Bool) {
    key(name)
    bool(value)
  }

  /// Writes an integer member.
  package mutating func member(_ name: String, _ value: Int) {
    key(name)
    integer(value)
  }

  /// Writes a member with an integer, or `null` for none.
  package mutating func member(_ name: String, _ value: Int?) {
    key(name)
    if let value { integer(value) } else { null() }
  }

  /// Writes a member with an array of integers.
  package mutating func member(_ name: String, _ values: [Int]) {
    key(name)
    integers(values)
  }

  /// Writes a member with an array of strings.
  package mutating func member(_ name: String, _ values: [String]) {
    key(name)
    beginArray()
    for value in values { string(value) }
    endArray()
  }

  private mutating func append(decimal value: Int) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    // The largest 64-bit magnitude has 19 digits.
    var digits = [19 of UInt8](repeating: 0)
    var start = digits.count
    var rest = value.magnitude
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    for index in start..<digits.count { bytes.append(digits[index]) }
  }

  private mutating func raw(_ text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
    needsComma = true
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
    depth += 1
  }

  private mutating func close(_ bracket: UInt8) {
    depth -= 1
    // An empty object has both of its brackets on one line.
    if needsComma { breakLine() }
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    if !isValue, depth > 0 { breakLine() }
    isValue = false
  }

  /// Begins a line, if the style has lines.
  private mutating func breakLine() {
    guard style == .python else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
  }

  /// Writes a UTF-16 code unit of a string in ASCII.
  private mutating func escape(_ unit: UInt16) {
    guard unit >= 0x7f else { return escape(UInt8(unit)) }
    let digits = String(unit, radix: 16)
    bytes.append(contentsOf: "\\u".utf8)
    bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.count))
    bytes.append(contentsOf: digits.utf8)
  }

  /// Writes text in runs that need no escape.
  private mutating func escape(_ text: Span<UInt8>) {
    var start = 0
    for index in text.indices {
      let byte = text[index]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
        continue
      }
      bytes.append(copying: text.extracting(start..<index))
      escape(byte)
      start = index + 1
    }
    bytes.append(copying: text.extracting(start...))
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): escape(as: byte)
    case 0x08: escape(as: UInt8(ascii: "b"))
    case 0x09: escape(as: UInt8(ascii: "t"))
    case 0x0a: escape(as: UInt8(ascii: "n"))
    case 0x0c: escape(as: UInt8(ascii: "f"))
    case 0x0d: escape(as: UInt8(ascii: "r"))
    case 0..<0x20:
      bytes.append(contentsOf: (byte < 16 ? "\\u000" : "\\u00").utf8)
      bytes.append(contentsOf: String(byte, radix: 16).utf8)
    default: bytes.append(byte)
    }
  }

  /// Writes a character after a backslash.
  private mutating func escape(as character: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    bytes.append(character)
  }
}
