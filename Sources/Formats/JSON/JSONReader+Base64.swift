package import Bytes

extension JSONReader {
  /// Reads a string that is base64, and returns what it stands for.
  ///
  /// - Throws: `malformed` if the next value is another.
  @_lifetime(self: copy self)
  package mutating func base64(_ alphabet: Base64.Alphabet) throws(FormatError) -> [UInt8] {
    let start = offset
    guard let bytes = Base64.decode(try string(), alphabet) else {
      throw FormatError(.malformed, "this is not base64", at: start)
    }
    return bytes
  }
}
