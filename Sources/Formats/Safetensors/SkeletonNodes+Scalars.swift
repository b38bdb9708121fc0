internal import Bytes
internal import Graph
internal import JSON
internal import Pickle

extension SkeletonNodes {
  mutating func readString(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(FormatError) {
    try next(&json, "the text")
    if try json.readNull() {
      try next(&json, "the base64")
      let run = try base64(&json)
      guard PythonText.isUTF8WithSurrogates(Array(graph[run]).span) else {
        throw FormatError(.malformed, "the bytes of a str are not UTF-8", at: json.offset)
      }
      graph.replace(id, with: .string(run))
    } else {
      graph.replace(id, with: .string(try graph.addBytes(Array(try json.string().utf8))))
    }
    try endArray(&json)
  }

  mutating func readBytes(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(FormatError) {
    try next(&json, "the base64")
    graph.replace(id, with: .bytes(try base64(&json)))
    guard try json.nextElement() else { return }
    graph.spellings[id] = try value(&json)
    try endArray(&json)
  }

  mutating func readInteger(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(FormatError) {
    try next(&json, "the digits")
    let start = json.offset
    let text = try json.string()
    guard let bytes = HexadecimalInteger.twosComplement(text) else {
      throw FormatError(.malformed, "'\(text.prefix(40))' is no hexadecimal int", at: start)
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
  ) throws(FormatError) {
    try next(&json, "the bits")
    let start = json.offset
    let text = try json.string()
    guard text.utf8.count == 16, let bits = UInt64(text, radix: 16) else {
      throw FormatError(.malformed, "'\(text.prefix(40))' is not 64 bits in hexadecimal", at: start)
    }
    graph.replace(id, with: .float(Double(bitPattern: bits)))
    try endArray(&json)
  }

  mutating func base64(_ json: inout JSONReader) throws(FormatError) -> ByteRun {
    try graph.addBytes(json.base64(.standard))
  }
}
