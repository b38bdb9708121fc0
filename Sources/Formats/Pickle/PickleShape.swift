/// What bytes look like a pickle.
package enum PickleShape {
  /// Whether bytes begin as pickles of protocol 2 and later do: PROTO, its number, an operation.
  package static func hasProtocol(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4, bytes[bytes.startIndex] == Opcode.proto.rawValue,
      bytes[bytes.startIndex + 1] <= 5
    else { return false }
    return Opcode(rawValue: bytes[bytes.startIndex + 2]) != nil
  }

  /// Whether bytes may be a pickle of protocol 0 or 1: they begin with an operation and end with
  /// STOP, perhaps before a line feed.
  package static func mayBeText(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4, let first = bytes.first, Opcode(rawValue: first) != nil else {
      return false
    }
    let end = bytes.suffix(2)
    return end.last == Opcode.stop.rawValue || end.elementsEqual([Opcode.stop.rawValue, 0x0a])
  }
}
