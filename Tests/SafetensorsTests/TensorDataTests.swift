import CkptContainer
import CkptGraph
import CkptPlan
import CkptSafetensors
import CkptTestSupport
import Testing

/// The dtype, shape and bytes of written tensors.
struct TensorDataTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var object: PickledValue
    var storage: [UInt8]
    var entry: String
    var data: [UInt8]
  }

  private static func untyped(_ count: Int, _ dtype: String, _ shape: [Int]) -> PickledValue {
    .tensor(.storage("UntypedStorage", .int(count)), shape, dtype: dtype)
  }

  private static func counting(_ count: Int) -> [UInt8] { (1...UInt8(count)).map { $0 } }

  static let disguises = [
    Case(
      testDescription: "complex128",
      object: .tensor(.storage("ComplexDoubleStorage", 2), [2]), storage: counting(32),
      entry: #""dtype":"U8","shape":[2,16]"#, data: counting(32)),
    Case(
      testDescription: "complex32", object: untyped(4, "complex32", []), storage: counting(4),
      entry: #""dtype":"U8","shape":[4]"#, data: counting(4)),
    Case(
      testDescription: "bcomplex32", object: untyped(4, "bcomplex32", [1]), storage: counting(4),
      entry: #""dtype":"U8","shape":[1,4]"#, data: counting(4)),
    Case(
      testDescription: "bits16", object: untyped(4, "bits16", [2]), storage: counting(4),
      entry: #""dtype":"U8","shape":[2,2]"#, data: counting(4)),
    Case(
      testDescription: "bits8", object: untyped(2, "bits8", [2]), storage: counting(2),
      entry: #""dtype":"U8","shape":[2]"#, data: counting(2)),
    Case(
      testDescription: "bits4x2", object: untyped(2, "bits4x2", [2, 1]), storage: counting(2),
      entry: #""dtype":"U8","shape":[2,1]"#, data: counting(2)),
    Case(
      testDescription: "qint8", object: quantized("QInt8Storage"), storage: counting(2),
      entry: #""dtype":"U8","shape":[2]"#, data: counting(2)),
    Case(
      testDescription: "qint32", object: quantized("QInt32Storage"), storage: counting(8),
      entry: #""dtype":"U8","shape":[2,4]"#, data: counting(8)),
    Case(
      testDescription: "quint4x2", object: quantized("QUInt4x2Storage", count: 4),
      storage: counting(2), entry: #""dtype":"U8","shape":[2]"#, data: counting(2)),
    Case(
      testDescription: "float4_e2m1fn_x2 without a dimension",
      object: untyped(1, "float4_e2m1fn_x2", []), storage: [7], entry: #""dtype":"U8","shape":[]"#,
      data: [7]),
  ]

  private static func quantized(_ type: String, count: Int = 2) -> PickledValue {
    .rebuilt(
      by: "_rebuild_qtensor",
      [
        .storage(type, 2), 0, .ints([count]), .ints([1]),
        .tuple([.global("torch", "per_tensor_affine"), 0.5, 0]), false, .noHooks,
      ])
  }

  @Test("A dtype that safetensors lacks is stored as bytes", arguments: disguises)
  func disguise(_ test: Case) throws {
    let encoded = try Encoded(test.object, storages: [test.storage])
    #expect(encoded.header.contains("\"tensor\":{\(test.entry),\"data_offsets\""))
    #expect(encoded.data == test.data)
  }

  @Test("F4 counts values where PyTorch counts pairs")
  func packedPairs() throws {
    let encoded = try Encoded(
      Self.untyped(6, "float4_e2m1fn_x2", [2, 3]), storages: [Self.counting(6)], .bare)
    #expect(
      encoded.header == #"{"tensor":{"dtype":"F4","shape":[2,6],"data_offsets":[0,6]}}"#)
    #expect(encoded.data == Self.counting(6))
  }

  // MARK: Byte order

  struct OrderCase: CustomTestStringConvertible {
    var type: String
    var source: [UInt8]
    var data: [UInt8]
    var testDescription: String { type }

    init(_ type: String, _ source: [UInt8], _ data: [UInt8]) {
      self.type = type
      self.source = source
      self.data = data
    }
  }

  static let byteOrders = [
    OrderCase("ByteStorage", [1, 2], [1, 2]), OrderCase("BoolStorage", [1, 0], [1, 0]),
    OrderCase("HalfStorage", [1, 2, 3, 4], [2, 1, 4, 3]),
    OrderCase("BFloat16Storage", [1, 2, 3, 4], [2, 1, 4, 3]),
    OrderCase("FloatStorage", [1, 2, 3, 4, 5, 6, 7, 8], [4, 3, 2, 1, 8, 7, 6, 5]),
    OrderCase(
      "LongStorage", Array(1...16), Array((1...8).reversed()) + Array((9...16).reversed())),
    OrderCase(
      "ComplexFloatStorage", Array(1...16),
      [4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13]),
    OrderCase(
      "ComplexDoubleStorage", Array(1...32),
      [1, 9, 17, 25].flatMap { start in Array((start..<start + 8).reversed()) }),
  ]

  @Test("Numbers of a big-endian source are turned around", arguments: byteOrders)
  func bigEndian(_ test: OrderCase) throws {
    let encoded = try Encoded(
      .tensor(.storage(test.type, 2), [2]), storages: [test.source], bigEndian: true)
    #expect(encoded.data == test.data)
  }

  @Test("Numbers in a storage without a type are turned around by the tensor's dtype")
  func bigEndianUntyped() throws {
    for (dtype, data) in [
      ("uint16", [2, 1, 4, 3, 6, 5, 8, 7]), ("uint32", [4, 3, 2, 1, 8, 7, 6, 5]),
      ("uint64", [8, 7, 6, 5, 4, 3, 2, 1]), ("complex32", [2, 1, 4, 3, 6, 5, 8, 7]),
      ("float8_e5m2", [1, 2, 3, 4, 5, 6, 7, 8]),
    ] as [(String, [UInt8])] {
      let width = ["uint16": 2, "uint32": 4, "uint64": 8, "complex32": 4][dtype] ?? 1
      let encoded = try Encoded(
        Self.untyped(8, dtype, [8 / width]), storages: [Self.counting(8)], bigEndian: true)
      #expect(encoded.data == data, "\(dtype)")
    }
  }

  @Test("Bits that no number has are kept: bools of other bytes than 0 and 1, payloads of NaN")
  func meaninglessBits() throws {
    for (type, data) in [
      ("BoolStorage", [0, 1, 2, 255]), ("HalfStorage", [1, 0x7c, 1, 0xfe]),
      ("BFloat16Storage", [0x81, 0x7f, 0xff, 0xff]), ("FloatStorage", [1, 0, 0x80, 0x7f]),
    ] as [(String, [UInt8])] {
      let count = ["BoolStorage": 4, "FloatStorage": 1][type] ?? 2
      let encoded = try Encoded(
        .tensor(.storage(type, .int(count)), [count]), storages: [data], .bare)
      #expect(encoded.data == data, "\(type)")
    }
  }

  @Test("A single byte is copied in spite of a byte order")
  func oneByte() throws {
    let plan = try Encoded.encode(
      .tensor(.storage("ByteStorage", 2), [2]), storages: [[1, 2]], bigEndian: true, .bare
    ).plan
    guard case .copy(_, let range) = plan.segments.last else {
      Issue.record("not a copy")
      return
    }
    #expect(range == 0..<2)
  }

  // MARK: Signs

  struct SignCase: CustomTestStringConvertible {
    var testDescription: String
    var type: String
    var flags: PickledValue
    var mask: [UInt8]
  }

  static let lazySigns = [
    SignCase(
      testDescription: "a negated float32", type: "FloatStorage", flags: ["neg": true],
      mask: [0, 0, 0, 0x80]),
    SignCase(
      testDescription: "a negated float16", type: "HalfStorage", flags: ["neg": true],
      mask: [0, 0x80]),
    SignCase(
      testDescription: "a conjugated complex64", type: "ComplexFloatStorage",
      flags: ["conj": true], mask: [0, 0, 0, 0, 0, 0, 0, 0x80]),
    SignCase(
      testDescription: "a negated complex64", type: "ComplexFloatStorage", flags: ["neg": true],
      mask: [0, 0, 0, 0x80, 0, 0, 0, 0x80]),
    SignCase(
      testDescription: "a complex64 that is both", type: "ComplexFloatStorage",
      flags: ["conj": true, "neg": true], mask: [0, 0, 0, 0x80, 0, 0, 0, 0]),
    SignCase(
      testDescription: "a conjugated complex128", type: "ComplexDoubleStorage",
      flags: ["conj": true], mask: [UInt8](repeating: 0, count: 15) + [0x80]),
    SignCase(
      testDescription: "a conjugated float32, which is no other", type: "FloatStorage",
      flags: ["conj": true], mask: [0, 0, 0, 0]),
  ]

  @Test("PyTorch's lazy signs are resolved", arguments: lazySigns)
  func signs(_ test: SignCase) throws {
    let encoded = try Encoded(
      .tensor(.storage(test.type, 1), [1], flags: [test.flags]),
      storages: [[UInt8](repeating: 0x11, count: test.mask.count)])
    #expect(encoded.data == test.mask.map { $0 ^ 0x11 })
  }

  @Test("Signs are found behind the byte order")
  func bigEndianSign() throws {
    let encoded = try Encoded(
      .tensor(.storage("FloatStorage", 1), [1], flags: [["neg": true]]), storages: [[1, 2, 3, 4]],
      bigEndian: true)
    #expect(encoded.data == [4, 3, 2, 0x81])
  }

  // MARK: Order of elements

  struct ViewCase: CustomTestStringConvertible {
    var testDescription: String
    var shape: [Int]
    var strides: [Int]
    var offset = 0
    var data: [UInt8]
  }

  /// Views of the bytes 0 to 11.
  static let viewCases = [
    ViewCase(
      testDescription: "expanded", shape: [2, 2], strides: [0, 0], offset: 5, data: [5, 5, 5, 5]),
    ViewCase(
      testDescription: "repeated rows", shape: [2, 3], strides: [0, 1], data: [0, 1, 2, 0, 1, 2]),
    ViewCase(testDescription: "every third", shape: [4], strides: [3], data: [0, 3, 6, 9]),
    ViewCase(
      testDescription: "transposed", shape: [4, 3], strides: [1, 4],
      data: [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]),
    ViewCase(
      testDescription: "overlapping windows", shape: [3, 3], strides: [1, 1], offset: 2,
      data: [2, 3, 4, 3, 4, 5, 4, 5, 6]),
    ViewCase(
      testDescription: "one element with a wild stride", shape: [1, 1], strides: [99, 7],
      offset: 11, data: [11]),
    ViewCase(
      testDescription: "no element behind the end", shape: [3, 0], strides: [1, 1], offset: 99,
      data: []),
  ]

  @Test("A view is packed in row-major order", arguments: viewCases)
  func pack(_ test: ViewCase) throws {
    let encoded = try Encoded(
      .tensor(
        .storage("ByteStorage", 12), test.shape, strides: test.strides, offset: test.offset),
      storages: [Array(0..<12)], .bare)
    #expect(encoded.data == test.data)
    #expect(encoded.header.contains("\"shape\":\(test.shape)".replacing(", ", with: ",")))
  }
}
