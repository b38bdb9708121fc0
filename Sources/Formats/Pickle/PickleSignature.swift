internal import CkptBase

/// Tests that tell pickles from other bytes.
package enum PickleSignature {
  /// The number that `torch.save` began its files with before PyTorch 1.6, the least significant byte
  /// first (`torch/serialization.py`, `MAGIC_NUMBER`).
  package static let torchMagicNumber: [UInt8] = [
    0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
  ]

  /// Whether bytes begin like a pickle of protocol 2 or later: PROTO, its number, an opcode.
  package static func hasProtocol(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4, bytes[bytes.startIndex] == Opcode.proto.rawValue,
      bytes[bytes.startIndex + 1] <= 5
    else { return false }
    return Opcode(rawValue: bytes[bytes.startIndex + 2]) != nil
  }

  /// Whether a pickle that names something can begin with a byte: an opcode that needs no object.
  package static func canBegin(_ byte: UInt8) -> Bool {
    guard let opcode = Opcode(rawValue: byte) else { return false }
    let (taken, gives) = opcode.effect
    guard case .objects(0) = taken else { return false }
    return gives || opcode == .mark || opcode == .proto || opcode == .frame
  }

  /// Whether bytes are a pickle, or begin like a file that can hold one: a ZIP archive, an array of
  /// NumPy, gzip data.
  static func mayHoldPickles(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4 else { return false }
    let marks: [[UInt8]] = [Array("PK\u{3}\u{4}".utf8), [0x93] + "NUMPY".utf8, [0x1f, 0x8b, 8]]
    if marks.contains(where: { bytes.starts(with: $0) }) { return true }
    return PickleScan(bytes.span, looksInside: false).isConvincing
  }
}

extension PickleScan {
  /// Whether bytes that may be anything are a pickle, if the scan stopped at the first fault.
  ///
  /// They are if Python calls something that has a name before it stops, or if it reads them to STOP
  /// and there is a name, PROTO or torch's magic number. Other bytes do neither, such as text, whose lines can pass for
  /// names, and tensors: a call needs two lines that are names, which comes up once in about 10^8
  /// random storages.
  package var isConvincing: Bool {
    if isComplete && isTorchMagicNumber || frameCrossing != nil { return true }
    let named = globals.filter(\.hasPlausibleName)
    if named.contains(where: { !$0.ways.isEmpty }) { return true }
    if isComplete, fault == nil { return hasProtocol || !named.isEmpty }
    return hasProtocol && named.contains { $0.verdict != .opaque }
  }
}

extension GlobalUse {
  /// Whether module and name can be identifiers with dots between them.
  fileprivate var hasPlausibleName: Bool {
    Self.isPlausible(module) && Self.isPlausible(name)
  }

  private static func isPlausible(_ name: String) -> Bool {
    var isStart = true
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "."):
        guard !isStart else { return false }
        isStart = true
        continue
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"), 0x80...:
        break
      case UInt8(ascii: "0")...UInt8(ascii: "9"): guard !isStart else { return false }
      default: return false
      }
      isStart = false
    }
    return !isStart
  }
}
