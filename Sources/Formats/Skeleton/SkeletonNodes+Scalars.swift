internal import CkptBase
internal import CkptGraph
internal import CkptJSON
internal import CkptPickle

/// Nodes that refer to no others: texts, bytes and numbers.
extension SkeletonNodes {
  mutating func readString(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(CheckpointError) {
    try next(&json, "the text")
    if try json.readNull() {
      try next(&json, "the base64")
      let run = try base64(&json)
      guard PythonText.isUTF8WithSurrogates(Array(graph[run]).span) else {
        throw CheckpointError(.malformed, "the bytes of a str are not UTF-8", at: json.offset)
      }
      graph.replace(id, with: .string(run))
    } else {
      graph.replace(id, with: .string(try text(&json)))
    }
    try endArray(&json)
  }

  mutating func readBytes(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(CheckpointError) {
    try next(&json, "the base64")
    graph.replace(id, with: .bytes(try base64(&json)))
    guard try json.nextElement() else { return }
    graph.spellings[id] = try value(&json)
    try endArray(&json)
  }

  mutating func readInteger(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(CheckpointError) {
    try next(&json, "the digits")
    let start = json.offset
    let text = try json.string()
    guard let bytes = HexadecimalInteger.twosComplement(text) else {
      throw CheckpointError(.malformed, "'\(text.prefix(40))' is not a hexadecimal int", at: start)
    }
    if bytes.count <= 8 {
      let padding: UInt8 = bytes.last.map { $0 & 0x80 == 0 ? 0x00 : 0xff } ?? 0
      let padded = bytes + [UInt8](repeating: padding, count: 8 - bytes.count)
      graph.replace(id, with: .int(padded.reversed().reduce(0) { $0 << 8 | Int($1) }))
    } else {
      graph.replace(id, with: .largeInt(try graph.addBytes(bytes)))
    }
    try endArray(&json)
  }

  mutating func readFloat(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(CheckpointError) {
    try next(&json, "the bits")
    let start = json.offset
    let text = try json.string()
    guard text.utf8.count == 16, let bits = UInt64(text, radix: 16) else {
      throw CheckpointError(
        .malformed, "'\(text.prefix(40))' is not a 64-bit number in hexadecimal", at: start)
    }
    graph.replace(id, with: .float(Double(bitPattern: bits)))
    try endArray(&json)
  }

  mutating func base64(_ json: inout JSONReader) throws(CheckpointError) -> ByteRun {
    try graph.addBytes(json.base64(.standard))
  }
}

/// Ints in the spelling of skeletons: `0x1f` and `-0x1f`.
enum HexadecimalInteger {
  /// Returns the minimal little-endian two's complement of the int `text`, or `nil` for other text.
  static func twosComplement(_ text: String) -> [UInt8]? {
    var digits = Array(text.utf8)[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits.removeFirst() }
    guard digits.starts(with: "0x".utf8), digits.count > 2 else { return nil }
    digits.removeFirst(2)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2 + 2)
    while let low = digits.popLast() {
      let high = digits.popLast() ?? UInt8(ascii: "0")
      guard let low = value(of: low), let high = value(of: high) else { return nil }
      bytes.append(high << 4 | low)
    }
    // This makes room for the sign. The loop below removes what is not needed.
    bytes.append(0)
    if isNegative { negate(&bytes) }
    while bytes.count > 1, bytes[bytes.count - 1] == (bytes[bytes.count - 2] & 0x80 == 0 ? 0 : 0xff)
    {
      bytes.removeLast()
    }
    return bytes
  }

  private static func negate(_ bytes: inout [UInt8]) {
    var carry = true
    for index in bytes.indices {
      let (sum, overflow) = (~bytes[index]).addingReportingOverflow(carry ? 1 : 0)
      bytes[index] = sum
      carry = overflow
    }
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
