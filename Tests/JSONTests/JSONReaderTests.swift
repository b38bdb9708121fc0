import CkptBase
import CkptJSON
import Testing

struct JSONReaderTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var value: String

    init(_ name: String, _ text: String, _ value: String) {
      testDescription = name
      self.text = text
      self.value = value
    }
  }

  static let strings = [
    Case("plain", #""abc""#, "abc"), Case("empty", #""""#, ""),
    Case("every short escape", #""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
    Case("a code point", #""\u00e9""#, "é"), Case("a pair of surrogates", #""\ud83d\ude00""#, "😀"),
    Case("raw UTF-8", "\"é😀\u{2028}\u{7f}\"", "é😀\u{2028}\u{7f}"),
    Case("NUL as an escape", #""\u0000""#, "\0"), Case("space before", " \n\t\r\"a\"", "a"),
  ]

  @Test("Strings are read", arguments: strings)
  func string(_ test: Case) throws {
    let bytes = Array(test.text.utf8)
    var reader = JSONReader(bytes.span)
    let value = try reader.string()
    try reader.end()
    #expect(value == test.value)
  }

  struct Refusal: CustomTestStringConvertible {
    var testDescription: String
    var text: [UInt8]
    var offset: Int

    init(_ name: String, _ text: String, at offset: Int) {
      testDescription = name
      self.text = Array(text.utf8)
      self.offset = offset
    }

    init(_ name: String, bytes: [UInt8], at offset: Int) {
      testDescription = name
      text = bytes
      self.offset = offset
    }
  }

  static let refusals = [
    Refusal("nothing", "", at: 0), Refusal("an open string", #"["a"#, at: 3),
    Refusal("a raw control character", "[\"a\nb\"]", at: 3),
    Refusal("a lone high surrogate", #"["\ud83d"]"#, at: 8),
    Refusal("a lone low surrogate", #"["\ude00"]"#, at: 8),
    Refusal("a high surrogate before a letter", #"["\ud83dx"]"#, at: 8),
    Refusal("an unknown escape", #"["\x"]"#, at: 3),
    Refusal("text that is not UTF-8", bytes: [0x5b, 0x22, 0xff, 0x22, 0x5d], at: 2),
    Refusal("a comma at the end of an array", "[1,]", at: 3),
    Refusal("a comma at the end of an object", #"{"a":1,}"#, at: 7),
    Refusal("no comma", "[1 2]", at: 3), Refusal("no colon", #"{"a" 1}"#, at: 5),
    Refusal("a key that is not a string", "{1:2}", at: 1),
    Refusal("a leading zero", "[01]", at: 1), Refusal("a lone minus", "[-]", at: 2),
    Refusal("a point without digits", "[1.]", at: 3),
    Refusal("an exponent without digits", "[1e]", at: 3),
    Refusal("a misspelled literal", "[tru]", at: 1), Refusal("NaN", "[NaN]", at: 1),
    Refusal("something after the value", "{} x", at: 3),
    Refusal("a byte order mark", bytes: [0xef, 0xbb, 0xbf, 0x7b, 0x7d], at: 0),
  ]

  @Test("What RFC 8259 forbids is an error at its place", arguments: refusals)
  func refusal(_ test: Refusal) {
    let error = #expect(throws: CheckpointError.self) {
      var reader = JSONReader(test.text.span)
      try reader.skipValue()
      try reader.end()
    }
    #expect(error?.offset == test.offset, "\(error?.message ?? "")")
  }

  static let integers = [
    Case("zero", "0", "0"), Case("the largest", "18446744073709551615", "18446744073709551615"),
  ]

  @Test("Integers up to 64 bits are read", arguments: integers)
  func integer(_ test: Case) throws {
    let bytes = Array(test.text.utf8)
    var reader = JSONReader(bytes.span)
    #expect(try reader.unsignedInteger() == UInt64(test.value))
  }

  @Test(
    "Numbers that are not such integers are refused",
    arguments: ["-1", "-0", "1.0", "1e0", "01", "18446744073709551616", "", "x", "\"1\""])
  func notAnInteger(_ text: String) {
    #expect(throws: CheckpointError.self) {
      var reader = JSONReader(Array(text.utf8).span)
      _ = try reader.unsignedInteger()
    }
  }

  @Test("Values of every kind are skipped, nested ones too")
  func skipping() throws {
    let text = #" {"a":[1,-2.5e+3,"x\"]",{"b":{}},[],true,false,null],"c":0} "#
    let bytes = Array(text.utf8)
    var reader = JSONReader(bytes.span)
    try reader.skipValue()
    try reader.end()
  }

  @Test("Nesting is bounded, whatever the text")
  func depth() throws {
    let deepest = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    var reader = JSONReader(Array(deepest.utf8).span)
    try reader.skipValue()
    let error = #expect(throws: CheckpointError.self) {
      var reader = JSONReader(Array(("[" + deepest + "]").utf8).span)
      try reader.skipValue()
    }
    #expect(error?.code == .limitExceeded)
  }
}
