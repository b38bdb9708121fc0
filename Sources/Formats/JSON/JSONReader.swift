package import CkptBase

/// Reads JSON (RFC 8259) one value at a time, without building a tree.
///
/// It is as strict as Rust's `serde_json`, which the reference safetensors reader uses: no lone
/// surrogates, no raw control characters, no leading zeros. A header of 100,000 tensors is read in
/// one pass and in order, and every error has its offset.
@safe
package struct JSONReader: ~Copyable, ~Escapable {
  let bytes: Span<UInt8>
  let base: Int
  var position = 0
  /// Whether a value of the innermost container was read, so that a comma must follow.
  var needsComma = false

  /// The maximum number of nested containers (the limit of `serde_json`).
  private static let depthLimit = 128

  /// Creates a reader of `bytes`, whose first byte is at offset `base` of the file.
  @_lifetime(copy bytes)
  package init(_ bytes: Span<UInt8>, base: Int = 0) {
    self.bytes = bytes
    self.base = base
  }

  /// The offset of the next byte in the file.
  package var offset: Int { base + position }

  // MARK: Containers

  /// Enters an object.
  ///
  /// - Throws: `malformed` if the next value is another.
  @_lifetime(self: copy self)
  package mutating func beginObject() throws(CheckpointError) {
    try expect(UInt8(ascii: "{"), "an object")
    needsComma = false
  }

  /// Returns the name of the next member, whose value must be read next; `nil` at the end of the
  /// object.
  ///
  /// - Throws: `malformed` if neither follows.
  @_lifetime(self: copy self)
  package mutating func nextKey() throws(CheckpointError) -> String? {
    guard try nextItem(closing: UInt8(ascii: "}")) else { return nil }
    let key = try string()
    try expect(UInt8(ascii: ":"), "a colon")
    return key
  }

  /// Reads the name of the next member, whose value must be read next, and returns its index in
  /// `known`.
  ///
  /// Other names give the number of known ones, the end of the object gives `nil`.
  ///
  /// - Throws: `malformed` if neither follows.
  @_lifetime(self: copy self)
  package mutating func nextKey(among known: [String]) throws(CheckpointError) -> Int? {
    guard try nextItem(closing: UInt8(ascii: "}")) else { return nil }
    var number = try word(among: known)
    if number == nil {
      // Escapes can spell a name in other ways.
      let name = ExactString(try string())
      number = known.firstIndex { ExactString($0) == name }
    }
    try expect(UInt8(ascii: ":"), "a colon")
    return number ?? known.count
  }

  /// Enters an array.
  ///
  /// - Throws: `malformed` if the next value is another.
  @_lifetime(self: copy self)
  package mutating func beginArray() throws(CheckpointError) {
    try expect(UInt8(ascii: "["), "an array")
    needsComma = false
  }

  /// Whether there is another element, which must be read next.
  ///
  /// - Throws: `malformed` if neither an element nor the end of the array follows.
  @_lifetime(self: copy self)
  package mutating func nextElement() throws(CheckpointError) -> Bool {
    try nextItem(closing: UInt8(ascii: "]"))
  }

  /// Checks that only white space is left.
  ///
  /// - Throws: `malformed` if there is more.
  @_lifetime(self: copy self)
  package mutating func end() throws(CheckpointError) {
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end of the JSON text") }
  }

  // MARK: Values

  /// Reads `true` or `false`.
  ///
  /// - Throws: `malformed` if the next value is another.
  @_lifetime(self: copy self)
  package mutating func bool() throws(CheckpointError) -> Bool {
    skipSpace()
    let isTrue = position < bytes.count && bytes[position] == UInt8(ascii: "t")
    try literal(isTrue ? "true" : "false")
    return isTrue
  }

  /// Returns the first byte of the next value without reading it.
  ///
  /// - Throws: `malformed` at the end of the text.
  @_lifetime(self: copy self)
  package mutating func peek() throws(CheckpointError) -> UInt8 {
    skipSpace()
    guard position < bytes.count else { throw unexpected("a value") }
    return bytes[position]
  }

  /// Reads `null` if it comes next.
  ///
  /// Returns whether it did.
  @_lifetime(self: copy self)
  package mutating func readNull() throws(CheckpointError) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: "n") else { return false }
    try literal("null")
    return true
  }

  /// Skips any value.
  ///
  /// - Throws: `malformed` for invalid JSON, `limitExceeded` for too much nesting.
  @_lifetime(self: copy self)
  package mutating func skipValue() throws(CheckpointError) {
    // There is one flag for each open container: whether it is an object.
    var open: [Bool] = []
    repeat {
      if let isObject = open.last {
        guard try isObject ? nextKey() != nil : nextElement() else {
          open.removeLast()
          continue
        }
      }
      skipSpace()
      guard position < bytes.count else { throw unexpected("a value") }
      switch bytes[position] {
      case UInt8(ascii: "{"):
        try beginObject()
        open.append(true)
      case UInt8(ascii: "["):
        try beginArray()
        open.append(false)
      case UInt8(ascii: "\""): try skipString()
      case UInt8(ascii: "t"): try literal("true")
      case UInt8(ascii: "f"): try literal("false")
      case UInt8(ascii: "n"): try literal("null")
      default: try skipNumber()
      }
      guard open.count <= Self.depthLimit else {
        throw CheckpointError(
          .limitExceeded, "more than \(Self.depthLimit) nested containers", at: offset)
      }
    } while !open.isEmpty
  }

  /// Skips an array and counts its elements.
  ///
  /// Errors inside them are left to their readers.
  ///
  /// - Throws: `malformed` if the next value is another, or has no end.
  @_lifetime(self: copy self)
  package mutating func countElements() throws(CheckpointError) -> Int {
    try beginArray()
    let start = position
    defer { WorkCount.add(position - start) }
    var (depth, commas) = (1, 0)
    var isEmpty = true
    while depth > 0 {
      guard position < bytes.count else { throw unexpected("the end of a container") }
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 { continue }
      case UInt8(ascii: ","): if depth == 1 { commas += 1 }
      case UInt8(ascii: "\""): try skipRestOfString()
      case 0x20, 0x09, 0x0a, 0x0d: continue
      default: break
      }
      isEmpty = false
    }
    needsComma = true
    return isEmpty ? 0 : commas + 1
  }

  /// Skips the rest of a string after its opening quote.
  @_lifetime(self: copy self)
  private mutating func skipRestOfString() throws(CheckpointError) {
    while position < bytes.count {
      let byte = bytes[position]
      position += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return }
    }
    position = bytes.count
    throw unexpected("the end of a string")
  }

  // MARK: Tokens

  @_lifetime(self: copy self)
  mutating func skipSpace() {
    while position < bytes.count, bytes[position] <= 0x20 {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  @inline(__always)
  @_lifetime(self: copy self)
  mutating func expect(_ byte: UInt8, _ what: String) throws(CheckpointError) {
    if position < bytes.count, bytes[position] == byte {
      position += 1
      return
    }
    try expectBehindSpace(byte, what)
  }

  @_lifetime(self: copy self)
  private mutating func expectBehindSpace(
    _ byte: UInt8, _ what: String
  ) throws(CheckpointError) {
    skipSpace()
    guard position < bytes.count, bytes[position] == byte else { throw unexpected(what) }
    position += 1
  }

  @_lifetime(self: copy self)
  private mutating func nextItem(closing bracket: UInt8) throws(CheckpointError) -> Bool {
    skipSpace()
    guard position < bytes.count else { throw unexpected("the end of a container") }
    if bytes[position] == bracket {
      position += 1
      needsComma = true
      return false
    }
    if needsComma { try expect(UInt8(ascii: ","), "a comma") }
    needsComma = false
    return true
  }

  @_lifetime(self: copy self)
  private mutating func literal(_ text: StaticString) throws(CheckpointError) {
    let start = position
    for byte in text.description.utf8 {
      guard position < bytes.count, bytes[position] == byte else {
        position = start
        throw unexpected("'\(text)'")
      }
      position += 1
    }
    needsComma = true
  }

  func unexpected(_ expected: String) -> CheckpointError {
    let found =
      position < bytes.count
      ? "byte 0x\(String(bytes[position], radix: 16))" : "the end of the JSON text"
    return CheckpointError(.malformed, "found \(found), expected \(expected)", at: offset)
  }
}
