import CkptContainer
import CkptPlan
import CkptSafetensors
import CkptTestSupport
import Testing

/// Whole files, as `safetensors.torch.save_file` writes them.
struct HeaderBytesTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var object: PickledValue
    var storages: [[UInt8]]
    var header: String
    var data: [UInt8]
  }

  static let cases = [
    Case(
      testDescription: "nothing", object: [:], storages: [], header: "{}      ", data: []),
    Case(
      testDescription: "one tensor",
      object: ["a": .tensor(.storage("FloatStorage", 1), [1])], storages: [[0, 0, 0xc0, 0x3f]],
      header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#,
      data: [0, 0, 0xc0, 0x3f]),
    Case(
      testDescription: "a header that needs no padding",
      object: ["abc": .tensor(.storage("FloatStorage", 1), [1])], storages: [[1, 2, 3, 4]],
      header: #"{"abc":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: [1, 2, 3, 4]),
    Case(
      testDescription: "the example of the reference writer's escapes and order",
      object: [
        "b": .tensor(.storage("FloatStorage", 1), []),
        "a": .tensor(.storage("FloatStorage", 0, key: "1"), [0]),
        "é\"\\\n\t\u{1}\u{7f}\u{2028}😀/": .tensor(
          .storage("LongStorage", 0, key: "2"), [2, 0, 3]),
      ], storages: [[0, 0, 0xc0, 0x3f], [], []],
      header: #"{"é\"\\\n\t\u0001"# + "\u{7f}\u{2028}😀/"
        + #"":{"dtype":"I64","shape":[2,0,3],"data_offsets":[0,0]},"#
        + #""a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"#
        + #""b":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}     "#,
      data: [0, 0, 0xc0, 0x3f]),
    Case(
      testDescription: "a view of a larger storage, and a transposed one",
      object: [
        "part": .tensor(.storage("ByteStorage", 6), [2], offset: 3),
        "t": .tensor(.storage("ByteStorage", 6), [3, 2], strides: [1, 3]),
      ], storages: [[1, 2, 3, 4, 5, 6]],
      header: #"{"part":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
        + #""t":{"dtype":"U8","shape":[3,2],"data_offsets":[2,8]}}  "#,
      data: [4, 5, 1, 4, 2, 5, 3, 6]),
  ]

  @Test("The file is the reference writer's, byte for byte", arguments: cases)
  func bytes(_ test: Case) throws {
    let encoded = try Encoded(test.object, storages: test.storages, .bare)
    let header = Array(test.header.utf8)
    #expect(header.count.isMultiple(of: 8))
    #expect(encoded.bytes == littleEndian(UInt64(header.count)) + header + test.data)
    #expect(encoded.encoding.plan.byteCount == encoded.bytes.count)
    #expect(encoded.encoding.warnings == [])
  }

  @Test("Tensors are sorted by type as the reference ranks it, then by the bytes of their names")
  func order() throws {
    let types = [
      ("BoolStorage", 1), ("CharStorage", 1), ("ByteStorage", 1), ("ShortStorage", 2),
      ("HalfStorage", 2), ("BFloat16Storage", 2), ("IntStorage", 4), ("FloatStorage", 4),
      ("ComplexFloatStorage", 8), ("DoubleStorage", 8), ("LongStorage", 8),
    ]
    let untyped = [
      ("float4_e2m1fn_x2", 1), ("float8_e5m2", 1), ("float8_e4m3fn", 1), ("float8_e8m0fnu", 1),
      ("float8_e4m3fnuz", 1), ("float8_e5m2fnuz", 1), ("uint16", 2), ("uint32", 4), ("uint64", 8),
    ]
    var pairs: [PickledValue] = []
    var storages: [[UInt8]] = []
    for (type, width) in types {
      pairs += [
        .str(type), .tensor(.storage(type, 1, key: .str("\(storages.count)")), [1]),
      ]
      storages.append([UInt8](repeating: 0, count: width))
    }
    for (dtype, width) in untyped {
      let storage = PickledValue.storage(
        "UntypedStorage", .int(width), key: .str("\(storages.count)"))
      pairs += [.str(dtype), .tensor(storage, [1], dtype: dtype)]
      storages.append([UInt8](repeating: 0, count: width))
    }
    #expect(
      try Encoded(.dict(pairs), storages: storages, .bare).names() == [
        "uint64", "LongStorage", "DoubleStorage", "ComplexFloatStorage", "FloatStorage", "uint32",
        "IntStorage", "BFloat16Storage", "HalfStorage", "uint16", "ShortStorage",
        "float8_e5m2fnuz", "float8_e4m3fnuz", "float8_e8m0fnu", "float8_e4m3fn", "float8_e5m2",
        "CharStorage", "ByteStorage", "float4_e2m1fn_x2", "BoolStorage",
      ])
  }

  @Test("Names are compared by their bytes, not as text")
  func nameOrder() throws {
    let names = ["b", "a", "B", "\u{ffff}", "\u{10000}", "e\u{301}", "\u{e9}", "", "a.b", "a0"]
    var pairs: [PickledValue] = []
    for (index, name) in names.enumerated() {
      pairs += [.str(name), .tensor(.storage("ByteStorage", 1, key: .str("\(index)")), [1])]
    }
    let encoded = try Encoded(
      .dict(pairs), storages: names.map { _ in [0] }, .bare)
    #expect(
      try encoded.names().map { Array($0.utf8) }
        == names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
    #expect(try encoded.names().last == "\u{10000}")
  }
}
