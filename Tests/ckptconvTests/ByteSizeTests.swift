import Converter
import Testing

struct ByteSizeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let byteCount: Int?
    var testDescription: String { "'\(text)'" }
  }

  static let cases = [
    Case(text: "5GB", byteCount: 5_000_000_000),
    Case(text: "500MB", byteCount: 500_000_000),
    Case(text: "2GiB", byteCount: 2 << 30),
    Case(text: " 1.5 gb ", byteCount: 1_500_000_000),
    Case(text: "0.1KB", byteCount: 100),
    Case(text: "1.0001KB", byteCount: 1000),
    Case(text: "10kib", byteCount: 10_240),
    Case(text: "3TB", byteCount: 3_000_000_000_000),
    Case(text: "1TiB", byteCount: 1 << 40),
    Case(text: "123456789", byteCount: 123_456_789),
    Case(text: "17B", byteCount: 17),
    Case(text: "9223372036854775807", byteCount: .max),
    Case(text: "", byteCount: nil),
    Case(text: "GB", byteCount: nil),
    Case(text: "-1GB", byteCount: nil),
    Case(text: "0", byteCount: nil),
    Case(text: "0.0001B", byteCount: nil),
    Case(text: "5 G B x", byteCount: nil),
    Case(text: "5PB", byteCount: nil),
    Case(text: "1e9", byteCount: nil),
    Case(text: ".5GB", byteCount: nil),
    Case(text: "5.GB", byteCount: nil),
    Case(text: "1.2.3GB", byteCount: nil),
    Case(text: "٣GB", byteCount: nil),
    Case(text: "9223372036854775808", byteCount: nil),
    Case(text: "9999999999TB", byteCount: nil),
    Case(text: "9300000000.5GB", byteCount: nil),
  ]

  @Test("Sizes have decimal units, binary ones or none", arguments: cases)
  func parses(_ test: Case) {
    #expect(ByteSize.parse(test.text) == test.byteCount)
  }
}
