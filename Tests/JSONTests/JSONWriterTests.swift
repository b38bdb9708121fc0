import CkptJSON
import Testing

struct JSONWriterTests {
  @Test("Only quotes, backslashes and control characters are escaped, as serde_json does")
  func escapes() {
    var json = JSONWriter()
    json.string("a\"\\/\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é\u{2028}😀")
    let expected = #""a\"\\/\b\t\n\f\r\u0001\u001f"# + "\u{7f}é\u{2028}😀\""
    #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
  }

  @Test("Members and elements are separated by commas without spaces")
  func structure() {
    var json = JSONWriter()
    json.beginObject()
    json.member("a", 1)
    json.key("b")
    json.beginArray()
    json.null()
    json.beginArray()
    json.endArray()
    json.bool(true)
    json.endArray()
    json.member("c", [1, 2])
    json.member("d", "x")
    json.endObject()
    #expect(
      String(decoding: json.bytes, as: UTF8.self)
        == #"{"a":1,"b":[null,[],true],"c":[1,2],"d":"x"}"#)
  }

  @Test("What Python writes has lines, an indent of two and nothing beyond ASCII")
  func python() {
    var json = JSONWriter(style: .python)
    json.beginObject()
    json.member("a", [1, 2])
    json.key("b\u{7f}é\u{2028}😀\n")
    json.beginObject()
    json.endObject()
    json.key("c")
    json.beginArray()
    json.string(utf8: Array("ß".utf8)[...])
    json.beginObject()
    json.member("d", true)
    json.endObject()
    json.endArray()
    json.endObject()
    #expect(
      String(decoding: json.bytes, as: UTF8.self) == #"""
        {
          "a": [
            1,
            2
          ],
          "b\u007f\u00e9\u2028\ud83d\ude00\n": {},
          "c": [
            "\u00df",
            {
              "d": true
            }
          ]
        }
        """#)
  }

  @Test("Integers have all their digits", arguments: [0, 7, 10, -1, -10, 1 << 53, .max, .min])
  func integers(_ value: Int) {
    var json = JSONWriter()
    json.integer(value)
    #expect(String(decoding: json.bytes, as: UTF8.self) == String(value))
  }

  @Test(
    "A float cannot be mistaken for an integer",
    arguments: [1.0, -0.0, 1e16, 1e300, Double.leastNonzeroMagnitude, 0.1])
  func floats(_ value: Double) {
    var json = JSONWriter()
    json.number(value)
    let text = String(decoding: json.bytes, as: UTF8.self)
    #expect(text.contains { ".e".contains($0) })
    #expect(Double(text)?.bitPattern == value.bitPattern)
  }
}
