import CkptJSON
import Testing

struct Base64Tests {
  struct Case: CustomTestStringConvertible {
    var bytes: [UInt8]
    var standard: String
    var urlSafe: String

    var testDescription: String { standard.isEmpty ? "nothing" : standard }
  }

  /// RFC 4648, section 10, and the characters in which the alphabets differ.
  static let cases = [
    Case(bytes: [], standard: "", urlSafe: ""),
    Case(bytes: Array("f".utf8), standard: "Zg==", urlSafe: "Zg=="),
    Case(bytes: Array("fo".utf8), standard: "Zm8=", urlSafe: "Zm8="),
    Case(bytes: Array("foo".utf8), standard: "Zm9v", urlSafe: "Zm9v"),
    Case(bytes: Array("foobar".utf8), standard: "Zm9vYmFy", urlSafe: "Zm9vYmFy"),
    Case(bytes: [0xfb, 0xff], standard: "+/8=", urlSafe: "-_8="),
  ]

  @Test("Bytes become text and return", arguments: cases)
  func both(_ test: Case) {
    #expect(Base64.encode(test.bytes, .standard) == test.standard)
    #expect(Base64.encode(test.bytes, .urlSafe) == test.urlSafe)
    #expect(Base64.decode(test.standard, .standard) == test.bytes)
    #expect(Base64.decode(test.urlSafe, .urlSafe) == test.bytes)
  }

  @Test(
    "Text that is not canonical is refused",
    arguments: ["Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Z g=", "-_8=", "Zm9é"])
  func refusal(_ text: String) {
    #expect(Base64.decode(text, .standard) == nil)
  }
}
