import CkptBase
import Testing

struct SHA256Tests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var digest: String
  }

  /// The examples of NIST (FIPS 180-4, "SHA256.pdf" and "SHA2_Additional.pdf" of the Cryptographic
  /// Standards and Guidelines).
  static let cases = [
    Case(
      testDescription: "no bytes", bytes: [],
      digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    Case(
      testDescription: "one block", bytes: Array("abc".utf8),
      digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    Case(
      testDescription: "two blocks",
      bytes: Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
      digest: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    Case(
      testDescription: "one byte", bytes: [0xbd],
      digest: "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"),
    Case(
      testDescription: "55 zeros, the most that one block holds",
      bytes: [UInt8](repeating: 0, count: 55),
      digest: "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"),
    Case(
      testDescription: "56 zeros", bytes: [UInt8](repeating: 0, count: 56),
      digest: "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"),
    Case(
      testDescription: "64 zeros", bytes: [UInt8](repeating: 0, count: 64),
      digest: "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"),
    Case(
      testDescription: "a million letters", bytes: [UInt8](repeating: 0x61, count: 1_000_000),
      digest: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ]

  @Test("The examples of the standard have their digests", arguments: cases)
  func examples(_ example: Case) {
    let digest = SHA256.digest(of: example.bytes.span.raw)
    #expect(digest.description == example.digest)
    #expect(SHA256.Digest(hexadecimal: example.digest) == digest)
  }

  @Test("Bytes cut anywhere have the digest of the whole", arguments: [0, 1, 55, 63, 64, 65, 299])
  func pieces(cut: Int) {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var hash = SHA256()
    hash.update(bytes.span.extracting(0..<cut).raw)
    hash.update(bytes.span.extracting(cut..<300).raw)
    #expect(hash.finish() == SHA256.digest(of: bytes.span.raw))
    #expect(hash.finish() == SHA256.digest(of: [UInt8]().span.raw))
  }

  @Test("A state that is copied goes on by itself")
  func copies() {
    var first = SHA256()
    first.update(Array("ab".utf8).span.raw)
    var second = first
    second.update(Array("c".utf8).span.raw)
    first.update(Array("x".utf8).span.raw)
    #expect(second.finish() == SHA256.digest(of: Array("abc".utf8).span.raw))
    #expect(first.finish() == SHA256.digest(of: Array("abx".utf8).span.raw))
  }

  @Test(
    "Text that is not 64 lower-case digits is no digest",
    arguments: ["", "00", String(repeating: "A", count: 64), String(repeating: "0", count: 66)])
  func refused(_ text: String) {
    #expect(SHA256.Digest(hexadecimal: text) == nil)
  }
}
