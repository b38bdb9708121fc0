import CkptBase
import CkptCompare
import CkptCopy
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

@Suite("Two checkpoints are compared bit for bit")
struct VerifyTests {
  // MARK: Formats

  /// The form of a checkpoint that the comparison reads.
  struct Form: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let scope: ComparisonScope
    let make: @Sendable (CheckpointFolder, String) throws -> String
  }

  static let forms = [
    Form(testDescription: "the same file", scope: .objects) { $1 },
    Form(testDescription: "layout plain", scope: .objects) {
      try $0.safetensors("b.safetensors", from: $1, .init(layout: .plain))
    },
    Form(testDescription: "layout olmo", scope: .objects) {
      try $0.safetensors("b.safetensors", from: $1, .init(layout: .olmo))
    },
    Form(testDescription: "tied tensors with bytes of their own", scope: .objects) {
      try $0.safetensors("b.safetensors", from: $1, .init(layout: .plain, tied: .copy))
    },
    Form(testDescription: "without a skeleton", scope: .names) {
      try $0.safetensors("b.safetensors", from: $1, .init(includesSkeleton: false))
    },
    Form(testDescription: "shards", scope: .names) {
      try $0.shards(from: $1, maximumByteCount: 30)
    },
    Form(testDescription: "there and back", scope: .objects) {
      try $0.torch("b.pt", from: $0.safetensors("b.safetensors", from: $1, .init()))
    },
  ]

  /// Six numbers, once more transposed, once more tied, and four of half the width.
  static let weights: PickledValue = [
    "w": .tensor(.storage("FloatStorage", 6), [2, 3]),
    "turned": .tensor(.storage("FloatStorage", 6), [3, 2], strides: [1, 3]),
    "tied": .tensor(.storage("FloatStorage", 6), [2, 3]),
    "half": .tensor(.storage("BFloat16Storage", 4, key: "1"), [4]),
  ]
  static let storages = [floats([1, 2, 3, 4, 5, 6]), Array(0..<8)]

  @Test("A checkpoint is the same in every format", arguments: forms, [1, 3])
  func formats(_ form: Form, threads: Int) throws {
    let folder = try CheckpointFolder()
    let first = try folder.torch("a.pt", Self.weights, Self.storages)
    let second = try form.make(folder, first)
    for pair in try [pair(first, second), pair(second, first)] {
      let finding = try VerifyFinding(of: pair, budget: CopyBudget(threads: threads))
      #expect(finding.differences.map(\.line) == [])
      #expect(finding.isSame && finding.warnings == [])
      #expect(finding.scope == form.scope)
      #expect(finding.valueCount == 0)
    }
    let finding = try VerifyFinding(of: pair(first, second))
    #expect(finding.tensorCount == 4)
    // Of tied tensors one is compared.
    #expect(finding.byteCount >= 24 + 24 + 8)
  }

  // MARK: Layouts in memory

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var first: PickledValue
    var second: PickledValue
    /// The single storage of each side.
    var bytes: [UInt8] = floats([1, 2, 3, 4, 5, 6])
    var otherBytes: [UInt8]
    /// Whether the storages are compressed.
    var isDeflated = false
    var found: [String]
  }

  private static func view(
    _ shape: [Int], _ strides: [Int]? = nil, _ type: String = "FloatStorage", _ count: Int = 6
  ) -> PickledValue {
    .tensor(.storage(type, .int(count)), shape, strides: strides)
  }

  static let layouts = [
    Case(
      testDescription: "packed on both sides", first: view([2, 3]), second: view([2, 3]),
      otherBytes: floats([1, 2, 3, 4, 0, 0]),
      found: [
        "x: bytes: element [1, 1] is 5.0 (0x40a00000) / 0.0 (0x00000000); 4 bytes differ"
      ]),
    Case(
      testDescription: "a scalar", first: view([]), second: view([]),
      otherBytes: floats([-1, 2, 3, 4, 5, 6]),
      found: ["x: bytes: 1.0 (0x3f800000) / -1.0 (0xbf800000)"]),
    Case(
      testDescription: "a zero with another sign", first: view([1]), second: view([1]),
      bytes: floats([0, 0, 0, 0, 0, 0]), otherBytes: floats([-0.0, 0, 0, 0, 0, 0]),
      found: ["x: bytes: element [0] is 0.0 (0x00000000) / -0.0 (0x80000000)"]),
    Case(
      testDescription: "NaNs with other payloads", first: view([1], nil, "FloatStorage", 1),
      second: view([1], nil, "FloatStorage", 1),
      bytes: littleEndian(UInt32(0x7fc0_0000)), otherBytes: littleEndian(UInt32(0x7fc0_0001)),
      found: ["x: bytes: element [0] is nan (0x7fc00000) / nan (0x7fc00001)"]),
    Case(
      testDescription: "strided on both sides alike", first: view([3, 2], [1, 3]),
      second: view([3, 2], [1, 3]), otherBytes: floats([1, 2, 3, 4, 0, 6]),
      found: [
        "x: bytes: element [1, 1] is 5.0 (0x40a00000) / 0.0 (0x00000000); 2 bytes differ"
      ]),
    Case(
      testDescription: "strided on one side", first: view([3, 2], [1, 3]), second: view([3, 2]),
      otherBytes: floats([1, 4, 2, 5, 3, 7]),
      found: [
        "x: strides: [1, 3] / [2, 1]",
        "x: bytes: element [2, 1] is 6.0 (0x40c00000) / 7.0 (0x40e00000)",
      ]),
    Case(
      testDescription: "strided on the other side", first: view([3, 2]),
      second: view([3, 2], [1, 3]), bytes: floats([1, 4, 2, 5, 3, 7]),
      otherBytes: floats([1, 2, 3, 4, 5, 6]),
      found: [
        "x: strides: [2, 1] / [1, 3]",
        "x: bytes: element [2, 1] is 7.0 (0x40e00000) / 6.0 (0x40c00000)",
      ]),
    Case(
      testDescription: "strided on both sides in another way", first: view([2, 2], [1, 3]),
      second: view([2, 2], [1, 4]), otherBytes: floats([1, 2, 0, 0, 4, 5]),
      found: ["x: strides: [1, 3] / [1, 4]"]),
    Case(
      testDescription: "strided on both sides in another way, and different",
      first: view([2, 2], [1, 3]), second: view([2, 2], [1, 4]),
      otherBytes: floats([1, 2, 0, 0, 4, 7]),
      found: [
        "x: strides: [1, 3] / [1, 4]",
        "x: bytes: element [1, 1] is 5.0 (0x40a00000) / 7.0 (0x40e00000)",
      ]),
    Case(
      testDescription: "repeated elements", first: view([2, 1000, 3], [3, 0, 1]),
      second: view([2, 1000, 3], [3, 0, 1]), otherBytes: floats([1, 2, 3, 4, 5, 7]),
      found: ["x: bytes: element [1, 0, 2] is 6.0 (0x40c00000) / 7.0 (0x40e00000)"]),
    Case(
      testDescription: "compressed on both sides", first: view([6]), second: view([6]),
      otherBytes: floats([1, 2, 3, 4, 5, 7]), isDeflated: true,
      found: ["x: bytes: element [5] is 6.0 (0x40c00000) / 7.0 (0x40e00000)"]),
    Case(
      testDescription: "integers", first: view([2], nil, "LongStorage", 2),
      second: view([2], nil, "LongStorage", 2), bytes: [Int64(1), -1].flatMap { littleEndian($0) },
      otherBytes: [Int64(1), -2].flatMap { littleEndian($0) },
      found: ["x: bytes: element [1] is -1 (0xffffffffffffffff) / -2 (0xfffffffffffffffe)"]),
    Case(
      testDescription: "complex numbers", first: view([1], nil, "ComplexFloatStorage", 1),
      second: view([1], nil, "ComplexFloatStorage", 1), bytes: floats([1, 2]),
      otherBytes: floats([1, 3]),
      found: [
        "x: bytes: element [0] is (1.0, 2.0) (0x400000003f800000) / "
          + "(1.0, 3.0) (0x404000003f800000)"
      ]),
  ]

  @Test("The first element that differs is named, however tensors lie", arguments: layouts, [1, 3])
  func elements(_ test: Case, threads: Int) throws {
    let folder = try CheckpointFolder()
    let deflate = { (archive: inout ZipBuilder) in
      for index in archive.records.indices.dropFirst(4).prefix(1) where test.isDeflated {
        let record = archive.records[index]
        archive.records[index] = .init(
          "archive/data/0", record.stored, deflated: Deflate.stored(record.stored))
      }
    }
    let first = try folder.torch("a.pt", ["x": test.first], [test.bytes], edit: deflate)
    let second = try folder.torch("b.pt", ["x": test.second], [test.otherBytes], edit: deflate)
    let finding = try VerifyFinding(
      of: pair(first, second), budget: CopyBudget(threads: threads))
    #expect(finding.differences.map(\.line) == test.found)
    #expect(finding.differenceCount == test.found.count)
  }

  // MARK: Many, damaged and hostile

  @Test("The first twenty differences are described and the others counted")
  func limit() throws {
    let folder = try CheckpointFolder()
    let object = PickledValue.dict(
      (0..<25).flatMap { number -> [PickledValue] in
        [
          .str("t\(number)"),
          .tensor(.storage("ByteStorage", 1, key: .str("\(number)")), [1]),
        ]
      })
    let first = try folder.torch("a.pt", object, (0..<25).map { [$0] })
    let second = try folder.torch("b.pt", object, (0..<25).map { [$0 + 100] })
    let finding = try VerifyFinding(of: pair(first, second))
    #expect(finding.differences.count == DifferenceList.defaultLimit)
    #expect(finding.differences.last?.line == "t19: bytes: element [0] is 19 (0x13) / 119 (0x77)")
    #expect(finding.differenceCount == 25)
  }

  @Test(
    "Damage on either side is an error, also of bytes that no tensor has",
    arguments: [false, true], [[UInt8](1...16), [UInt8](101...116)])
  func damage(isFirst: Bool, bytes: [UInt8]) throws {
    let folder = try CheckpointFolder()
    let object: PickledValue = ["x": .tensor(.storage("ByteStorage", 16), [16])]
    let first = try folder.torch("a.pt", object, [Array(1...16), Array(101...116)])
    let second = try folder.torch("b.pt", object, [Array(1...16), Array(101...116)])
    try folder.damage(isFirst ? "a.pt" : "b.pt", at: bytes)
    let error = #expect(throws: CheckpointError.self) {
      try VerifyFinding(of: pair(first, second))
    }
    #expect(error?.code == .checksumMismatch)
    #expect(error?.path.first == (isFirst ? first : second))
  }

  @Test("A few bytes that are repeated without end in two ways are refused")
  func repetitions() throws {
    let folder = try CheckpointFolder()
    let storage = PickledValue.storage("ByteStorage", 4096)
    let bytes = [UInt8](repeating: 7, count: 4096)
    let first = try folder.torch(
      "a.pt", ["x": .tensor(storage, [4096, 4096], strides: [0, 1])], [bytes])
    let second = try folder.torch(
      "b.pt", ["x": .tensor(storage, [4096, 4096], strides: [1, 0])], [bytes])
    let error = #expect(throws: CheckpointError.self) {
      try VerifyFinding(of: pair(first, second))
    }
    #expect(error?.code == .limitExceeded)
    #expect(error?.message == "tensor 'x' repeats 4096 bytes until they are 16777216")
  }
}
