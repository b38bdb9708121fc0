package import CkptBase

/// The operations of a pickle, read without carrying them out.
package enum PickleOperations {
  /// Returns the codes of the operations in the pickle at the start of `bytes`, up to its STOP.
  ///
  /// - Throws: `truncated` or `malformed` if the operations cannot be followed.
  package static func codes(in bytes: Span<UInt8>) throws(CheckpointError) -> Set<UInt8> {
    var codes: Set<UInt8> = []
    var reader = ByteReader(bytes)
    while true {
      let code = try reader.readInteger(as: UInt8.self)
      guard let opcode = Opcode(rawValue: code) else {
        throw CheckpointError(.malformed, "0x\(String(code, radix: 16)) is not a pickle operation")
      }
      codes.insert(code)
      if opcode == .stop { return codes }
      try opcode.skipOperand(&reader)
    }
  }
}
