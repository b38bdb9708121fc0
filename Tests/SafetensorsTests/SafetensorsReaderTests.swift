import CkptBase
import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// Files that the reference reader accepts or refuses, and files that only this reader refuses.
struct SafetensorsReaderTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var file: SafetensorsFile
    var value: String

    init(_ name: String, _ header: String, data: [UInt8] = [], _ value: String) {
      testDescription = name
      file = SafetensorsFile(header, data: data)
      self.value = value
    }
  }

  private static let four: [UInt8] = [1, 2, 3, 4]

  static let accepted = [
    Case("nothing", "{}", "{}"), Case("padding", "{}      ", "{}"),
    Case("white space behind", "{}\n\t\r ", "{}"),
    Case("white space in front", " \n\t\r{}", "{}"),
    Case(
      "one tensor", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: four,
      "{'a': tensor(float32, [1])}"),
    Case(
      "a scalar", #"{"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}"#, data: four,
      "{'a': tensor(int32, [])}"),
    Case(
      "white space within",
      #"{ "a" : { "dtype" : "U8" , "shape":[ 4 ], "data_offsets":[0, 4 ] } }"#,
      data: four, "{'a': tensor(uint8, [4])}"),
    Case(
      "fields in another order", #"{"a":{"data_offsets":[0,4],"shape":[2],"dtype":"F16"}}"#,
      data: four, "{'a': tensor(float16, [2])}"),
    Case(
      "a field that is not known",
      #"{"a":{"dtype":"U8","x":{"y":[1,null]},"shape":[4],"data_offsets":[0,4]}}"#, data: four,
      "{'a': tensor(uint8, [4])}"),
    Case(
      "entries in another order than their data",
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},"#
        + #""b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, data: four,
      "{'b': tensor(uint8, [3]), 'a': tensor(uint8, [1])}"),
    Case(
      "a tensor that is not aligned",
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
        + #""b":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}}"#, data: four,
      "{'a': tensor(uint8, [2]), 'b': tensor(bfloat16, [1])}"),
    Case(
      "no elements", #"{"a":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]}}"#,
      "{'a': tensor(float32, [2, 0])}"),
    Case(
      "no elements between others",
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
        + #""b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},"#
        + #""c":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#, data: four,
      "{'c': tensor(float32, [0]), 'a': tensor(uint8, [4]), 'b': tensor(float32, [0])}"),
    Case(
      "no elements, and sizes whose product would overflow",
      #"{"a":{"dtype":"F32","shape":[0,4611686018427387904,4611686018427387904],"#
        + #""data_offsets":[0,0]}}"#,
      "{'a': tensor(float32, [0, 4611686018427387904, 4611686018427387904])}"),
    Case(
      "an empty name", #"{"":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, data: four,
      "{'': tensor(uint8, [4])}"),
    Case(
      "escapes in a name", #"{"\u0000\"é":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
      data: four, "{'\\x00\"é': tensor(uint8, [4])}"),
    Case(
      "a name beyond 16 bits, escaped and not",
      #"{"\ud83d\ude00":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
        + #""😀\n":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, data: four,
      "{'😀': tensor(uint8, [2]), '😀\\n': tensor(uint8, [2])}"),
    Case(
      "names that Unicode calls equivalent",
      "{\"\u{e9}\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
        + "\"e\u{301}\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}", data: four,
      "{'\u{e9}': tensor(uint8, [2]), 'e\u{301}': tensor(uint8, [2])}"),
    Case(
      "F4, whose last dimension counts values",
      #"{"a":{"dtype":"F4","shape":[2,4],"data_offsets":[0,4]}}"#, data: four,
      "{'a': tensor(float4_e2m1fn_x2, [2, 2])}"),
    Case(
      "F6, four values in three bytes",
      #"{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}"#, data: [1, 2, 3],
      "{'a': tensor(float6_e2m3fn, [4])}"),
    Case("metadata that is null", #"{"__metadata__":null}"#, "{}"),
    Case("metadata", #"{"__metadata__":{"format":"pt"}}"#, "{}"),
  ]

  @Test("A file by the rules of the format is read", arguments: accepted)
  func accept(_ test: Case) throws {
    let graph = try test.file.read().graph
    #expect(graph.description(of: graph.root, limit: 1000) == test.value)
  }

  struct Refusal: CustomTestStringConvertible {
    var testDescription: String
    var file: SafetensorsFile
    var code: CheckpointError.Code
    var text: String

    init(
      _ name: String, _ header: String, data: [UInt8] = [], _ text: String,
      code: CheckpointError.Code = .malformed
    ) {
      testDescription = name
      file = SafetensorsFile(header, data: data)
      self.code = code
      self.text = text
    }

    /// A file with one tensor, `a`, whose entry reads like this.
    init(
      entry: String, _ name: String, data: [UInt8] = four, _ text: String,
      code: CheckpointError.Code = .malformed
    ) {
      self.init(name, "{\"a\":\(entry)}", data: data, "tensor 'a': " + text, code: code)
    }
  }

  static let syntax = [
    Refusal("no header", "", "byte 0x8: the header does not start with '{'"),
    Refusal("a form feed in front", "\u{c}{}", "byte 0x8: the header does not start with '{'"),
    Refusal("a byte order mark", "\u{feff}{}", "byte 0x8: the header does not start with '{'"),
    Refusal("an array", "[]", "byte 0x8: the header does not start with '{'"),
    Refusal(
      "NUL for padding", "{}\0", "byte 0xa: found byte 0x0, expected the end of the JSON text"),
    Refusal(
      "a second object", "{}{}",
      "byte 0xa: found byte 0x7b, expected the end of the JSON text"),
    Refusal(
      "an open object", "{",
      "byte 0x9: found the end of the JSON text, expected the end of a container"),
    Refusal(
      "a lone surrogate", #"{"\ud800":1}"#,
      "byte 0x10: found byte 0x22, expected a second surrogate"),
    Refusal(
      "a raw control character", "{\"a\nb\":1}",
      "byte 0xb: found byte 0xa, expected the end of a string"),
    Refusal(
      "two tensors of one name",
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
        + #""\u0061":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, data: four,
      "byte 0x46: two tensors are named 'a'"),
    Refusal(
      "metadata twice", #"{"__metadata__":{},"__metadata__":{}}"#,
      "byte 0x2a: two tensors are named '__metadata__'"),
    Refusal(
      "metadata that is not text", #"{"__metadata__":{"a":1}}"#,
      "byte 0x1d: found byte 0x31, expected a string"),
    Refusal(
      "a tensor that is called like the metadata",
      #"{"__metadata__":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, data: four,
      "byte 0x2e: found byte 0x5b, expected a string"),
    Refusal(
      "a repeated key of metadata", #"{"__metadata__":{"a":"1","a":"2"}}"#,
      "byte 0x25: metadata key 'a' is repeated"),
  ]

  static let entries = [
    Refusal(
      entry: "[\"U8\",[4],[0,4]]", "an entry that is an array",
      "byte 0xd: found byte 0x5b, expected an object"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4]}"#, "no offsets",
      "byte 0xd: an entry needs dtype, shape and two data_offsets"),
    Refusal(
      entry: #"{"dtype":"U8","data_offsets":[0,4]}"#, "no shape",
      "byte 0xd: an entry needs dtype, shape and two data_offsets"),
    Refusal(
      entry: #"{"shape":[4],"data_offsets":[0,4]}"#, "no dtype",
      "byte 0xd: an entry needs dtype, shape and two data_offsets"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4],"data_offsets":[4]}"#, "one offset",
      "byte 0xd: an entry needs dtype, shape and two data_offsets"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}"#, "three offsets",
      "byte 0x3b: more than 2 numbers"),
    Refusal(
      entry: #"{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}"#, "dtype twice",
      "byte 0x23: 'dtype' is repeated"),
    Refusal(
      entry: #"{"dtype":"f32","shape":[1],"data_offsets":[0,4]}"#, "a dtype in small letters",
      "byte 0x1b: the dtype 'f32' is unknown", code: .unsupported),
    Refusal(
      entry: #"{"dtype":{"F32":null},"shape":[1],"data_offsets":[0,4]}"#, "a dtype as an object",
      "byte 0x16: found byte 0x7b, expected a string"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}"#, "a negative size",
      "byte 0x24: found byte 0x2d, expected an integer that is not negative"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}"#, "a size with a point",
      "byte 0x24: found byte 0x34, expected an integer that is not negative"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[04],"data_offsets":[0,4]}"#, "a size with a leading zero",
      "byte 0x24: found byte 0x30, expected an integer that is not negative"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,4]}"#,
      "a size beyond 64 bits", "byte 0x24: an integer does not fit 64 bits"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,4]}"#,
      "a size beyond 63 bits", "byte 0x24: 18446744073709551615 is too large"),
    Refusal(
      entry: #"{"dtype":"U8","x":"#
        + String(repeating: "[", count: 129) + String(repeating: "]", count: 129) + "}",
      "nesting in a field that is not known", "byte 0xa0: more than 128 nested containers",
      code: .limitExceeded),
  ]

  static let data = [
    Refusal(
      entry: #"{"dtype":"U8","shape":[3],"data_offsets":[1,4]}"#, "data that begins late",
      "its data begins at 1, but the data before it ends at 0"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4],"data_offsets":[4,0]}"#, "data that ends before it begins",
      "byte 0xd: its data ends at 0, before its start at 4"),
    Refusal(
      entry: #"{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#, "data that is too short",
      "F32 of shape [2] has 64 bits, but its data has 4 bytes"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[3],"data_offsets":[0,4]}"#, "data that is too long",
      "U8 of shape [3] has 24 bits, but its data has 4 bytes"),
    Refusal(
      entry: #"{"dtype":"F4","shape":[3],"data_offsets":[0,2]}"#, "half a byte", data: [1, 2],
      "F4 of shape [3] has 12 bits, but its data has 2 bytes"),
    Refusal(
      entry: #"{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}"#, "a byte of two rows",
      data: [1, 2, 3], "F4 of shape [2, 3] has bytes that span two rows", code: .unsupported),
    Refusal(
      entry: #"{"dtype":"F64","shape":[288230376151711744],"data_offsets":[0,4]}"#,
      "a size in bits that overflows", "its size overflows 64 bits"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4611686018427387904,4,0],"data_offsets":[0,0]}"#,
      "a size that overflows before it becomes zero", data: [], "its size overflows 64 bits"),
    Refusal(
      entry:
        #"{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}"#,
      "no data at the end of all numbers",
      "its data begins at 9223372036854775807, but the data before it ends at 0"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4],"data_offsets":[0,18446744073709551615]}"#,
      "an end beyond 63 bits", "byte 0x39: 18446744073709551615 is too large"),
    Refusal(
      entry: #"{"dtype":"U8","shape":[4],"data_offsets":[-1,3]}"#, "a beginning before the first",
      "byte 0x37: found byte 0x2d, expected an integer that is not negative"),
    Refusal(
      "a gap",
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, data: four,
      "tensor 'b': its data begins at 2, but the data before it ends at 1"),
    Refusal(
      "an overlap",
      #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"#
        + #""b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, data: four,
      "tensor 'b': its data begins at 2, but the data before it ends at 3"),
    Refusal(
      "two tensors of the same data",
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
        + #""b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, data: four,
      "tensor 'b': its data begins at 0, but the data before it ends at 4"),
    Refusal(
      "no elements in the middle of another",
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
        + #""b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}"#, data: four,
      "tensor 'b': its data begins at 2, but the data before it ends at 4"),
    Refusal(
      "a byte too many", #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
      data: four + [5], "the tensors have 4 bytes of data, but the file has 5: 1 too many"),
    Refusal(
      "a byte too few", #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
      data: Array(four.dropLast()),
      "the tensors have 4 bytes of data, but the file has 3: 1 missing",
      code: .truncated),
    Refusal(
      "data and no tensors", "{}", data: four,
      "the tensors have 0 bytes of data, but the file has 4: 4 too many"),
  ]

  @Test("A file against the rules is refused at its place", arguments: syntax + entries + data)
  func refuse(_ test: Refusal) throws {
    let error = #expect(throws: CheckpointError.self) { try test.file.read() }
    #expect(error?.code == test.code)
    let text = error.map { $0.description.dropFirst($0.path[0].count + 2) }
    #expect(text == test.text[...])
  }

  @Test("Text that is not UTF-8 is refused")
  func notUTF8() {
    var file = SafetensorsFile("")
    file.header = Array("{\"".utf8) + [0xff] + Array("\":1}".utf8)
    let error = #expect(throws: CheckpointError.self) { try file.read() }
    #expect(error?.message == "a string is not UTF-8")
    #expect(error?.offset == 10)
  }

  struct LengthCase: CustomTestStringConvertible {
    var testDescription: String
    var announced: UInt64
    var code: CheckpointError.Code
    var message: String
  }

  static let lengths = [
    LengthCase(
      testDescription: "one byte more than there are", announced: 3, code: .truncated,
      message: "the header would have 3 bytes, but only 2 are left"),
    LengthCase(
      testDescription: "the largest there may be", announced: 100_000_000, code: .truncated,
      message: "the header would have 100000000 bytes, but only 2 are left"),
    LengthCase(
      testDescription: "one more", announced: 100_000_001, code: .limitExceeded,
      message: "the header would have 100000001 bytes, but the limit of the format is 100000000"),
    LengthCase(
      testDescription: "2**64 - 1", announced: .max, code: .limitExceeded,
      message: "the header would have 18446744073709551615 bytes, but the limit of the format is "
        + "100000000"),
  ]

  @Test("The length of the header is compared with the file before it is used", arguments: lengths)
  func headerLength(_ test: LengthCase) {
    var file = SafetensorsFile("{}")
    file.announced = test.announced
    let error = #expect(throws: CheckpointError.self) { try file.read() }
    #expect(error?.code == test.code)
    #expect(error?.message == test.message)
    #expect(error?.offset == 0)
  }

  @Test("A file of less than eight bytes is refused", arguments: [0, 1, 7])
  func tooShort(_ count: Int) throws {
    let file = try TemporaryFile.holding([UInt8](repeating: 0, count: count))
    let error = #expect(throws: CheckpointError.self) { try SafetensorsReader.read(file) }
    #expect(error?.code == .truncated)
    #expect(error?.message == "the file has \(count) bytes, but a safetensors file has at least 8")
  }

  @Test("A file that is cut off anywhere is refused")
  func truncation() throws {
    let whole = SafetensorsFile(
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: Self.four
    ).bytes
    for count in 0..<whole.count {
      let file = try TemporaryFile.holding(Array(whole.prefix(count)))
      let error = #expect(throws: CheckpointError.self) { try SafetensorsReader.read(file) }
      #expect(error?.code == .truncated, "after \(count) bytes")
    }
  }

  @Test("Metadata keeps its order, and every tensor the place of its data")
  func facts() throws {
    let checkpoint = try SafetensorsFile(
      #"{"__metadata__":{"b":"1","a":"2"},"#
        + #""t":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]}}"#, data: Self.four
    ).read()
    let description = try #require(checkpoint.container as? SafetensorsDescription)
    #expect(description.metadata.map(\.key) == ["b", "a"])
    #expect(description.metadata.map(\.value) == ["1", "2"])
    #expect(description.layout == .plain)
    #expect(description.headerByteCount == 88)
    let region = try #require(checkpoint.graph.storages.first?.region)
    #expect(try region.source.bytes(in: region.range) == Self.four)
    #expect(region.crc32 == nil)
    #expect(checkpoint.graph.tensors.map(\.strides) == [[2, 1]])
  }
}
