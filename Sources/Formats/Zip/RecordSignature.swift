internal import Bytes

/// The four bytes that mark a record, with the name APPNOTE gives the record.
struct RecordSignature {
  /// The number whose little-endian bytes the record starts with.
  let value: UInt32
  let recordName: String

  init(_ value: UInt32, _ recordName: String) {
    self.value = value
    self.recordName = recordName
  }

  /// The four bytes in the order of the file.
  var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

extension ByteReader {
  /// Consumes a record's signature.
  ///
  /// - Throws: `malformed` when other bytes are found, `truncated` when there are fewer.
  @_lifetime(self: copy self)
  mutating func readSignature(_ signature: RecordSignature) throws(FormatError) {
    let start = offset
    let found = try readInteger(as: UInt32.self)
    guard found == signature.value else {
      throw FormatError(
        .malformed,
        "a \(signature.recordName) should start with \(hex(signature.value)), found \(hex(found))",
        at: start)
    }
  }
}

/// The bytes of a little-endian number as they stand in the file.
private func hex(_ value: UInt32) -> String {
  let digits = String(value.byteSwapped, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
