import CkptBase
import Testing

struct CRC32Tests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let checksum: UInt32
    var testDescription: String { text.debugDescription }
  }

  /// The check value of the polynomial's definition, and records that every `torch.save` writes.
  static let cases = [
    Case(text: "", checksum: 0),
    Case(text: "a", checksum: 0xe8b7_be43),
    Case(text: "123456789", checksum: 0xcbf4_3926),
    Case(text: "1", checksum: 0x83dc_efb7),
    Case(text: "64", checksum: 0xe971_773f),
    Case(text: "little", checksum: 0x19e3_3d85),
    Case(text: "3\n", checksum: 0x5567_9ed1),
  ]

  @Test("Known texts have their known checksums", arguments: cases)
  func knownTexts(_ example: Case) {
    #expect(CRC32.checksum(Array(example.text.utf8).span) == example.checksum)
  }

  /// Bytes that repeat at no short distance.
  static let bytes = (0..<4099).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0 >> 5) }
  static let whole = CRC32.checksum(bytes.span)

  @Test(
    "A text cut anywhere has the checksum of the whole", arguments: [0, 1, 7, 8, 63, 4098, 4099])
  func cutInTwo(at cut: Int) {
    let first = CRC32.checksum(Self.bytes.span.extracting(0..<cut))
    let rest = Self.bytes.span.extracting(cut..<Self.bytes.count)
    #expect(CRC32.checksum(rest, continuing: first) == Self.whole)
    var sum = CRC32()
    sum.append(first, byteCount: cut)
    sum.append(CRC32.checksum(rest), byteCount: rest.count)
    #expect(sum.value == Self.whole)
  }

  @Test("Pieces of equal and unequal length add up", arguments: [1, 2, 100, 1000, 4099, 5000])
  func pieces(of length: Int) {
    var sum = CRC32()
    for start in stride(from: 0, to: Self.bytes.count, by: length) {
      let piece = Self.bytes.span.extracting(start..<min(start + length, Self.bytes.count))
      sum.append(CRC32.checksum(piece), byteCount: piece.count)
      sum.append(0, byteCount: 0)
    }
    #expect(sum.value == Self.whole)
  }

  @Test("A piece longer than 4 GiB is combined with its whole length")
  func longPiece() {
    // Zeros after a checksum multiply it by a power of x, so two hops are one of twice the length.
    var hops = CRC32()
    hops.append(1, byteCount: 4)
    for _ in 0..<6 { hops.append(0, byteCount: 1 << 30) }
    var sum = CRC32()
    sum.append(1, byteCount: 4)
    sum.append(0, byteCount: 6 << 30)
    #expect(sum.value == hops.value)
  }
}
