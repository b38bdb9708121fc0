import CkptConverter
import CkptTestSupport
import Testing

@Suite("A program that uses the library can read tensors and values")
struct ReadingTests {
  private func opening(_ fixture: String) throws -> Checkpoint {
    try Checkpoint(path: Fixture.path(fixture))
  }

  @Test("Tensors are listed by name, with dtype, shape and strides")
  func listing() throws {
    let tensors = try opening("plain/views.pt").tensors()
    #expect(tensors.names.prefix(3) == ["base", "t", "slice"])
    let transposed = try #require(tensors["t"])
    #expect(transposed.dtype == .float32)
    #expect(transposed.shape == [6, 4])
    #expect(transposed.strides == [1, 6])
    #expect(transposed.elementCount == 24 && transposed.byteCount == 96)
    #expect(try transposed.sharesStorage(with: #require(tensors["base"])))
    #expect(tensors["none of them"] == nil)
    #expect(tensors.map(\.name) == tensors.names)
  }

  @Test("A transposed tensor is read in row-major order")
  func transposed() throws {
    let tensors = try opening("plain/views.pt").tensors()
    let base = try #require(tensors["base"]).floats()
    let transposed = try #require(tensors["t"]).floats()
    let expected: [Float] = (0..<24).map { index in base[index % 4 * 6 + index / 4] }
    #expect(transposed == expected)
  }

  /// A tensor of each dtype that widens, with its bytes and what they are worth.
  struct Widening: Sendable, CustomTestStringConvertible {
    let dtype: DType
    let bytes: [UInt8]
    let values: [Double]
    var testDescription: String { dtype.name }
  }

  static let widenings = [
    Widening(dtype: .bool, bytes: [0, 1], values: [0, 1]),
    Widening(dtype: .uint8, bytes: [0, 255], values: [0, 255]),
    Widening(dtype: .int8, bytes: [0x80, 0x7f], values: [-128, 127]),
    Widening(dtype: .int16, bytes: [0, 0x80], values: [-32768]),
    Widening(dtype: .uint16, bytes: [0, 0x80], values: [32768]),
    Widening(dtype: .int32, bytes: [0, 0, 0, 0x80], values: [-2_147_483_648]),
    Widening(dtype: .uint32, bytes: [0, 0, 0, 0x80], values: [2_147_483_648]),
    Widening(dtype: .int64, bytes: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], values: [-1]),
    Widening(dtype: .uint64, bytes: [0, 0, 0, 0, 0, 0, 0, 0x80], values: [0x1p63]),
    Widening(dtype: .float16, bytes: [0, 0x3c, 1, 0], values: [1, 0x1p-24]),
    Widening(dtype: .bfloat16, bytes: [0x80, 0x3f, 0x80, 0x7f], values: [1, .infinity]),
    Widening(dtype: .float32, bytes: [0, 0, 0x80, 0xbf], values: [-1]),
    Widening(dtype: .float64, bytes: [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], values: [1.5]),
    Widening(dtype: .float8_e5m2, bytes: [0x3c, 1], values: [1, 0x1p-16]),
    Widening(dtype: .float8_e4m3fn, bytes: [0x38, 0x7e], values: [1, 448]),
    Widening(dtype: .float8_e5m2fnuz, bytes: [0x40], values: [1]),
    Widening(dtype: .float8_e4m3fnuz, bytes: [0x40], values: [1]),
    Widening(dtype: .float8_e8m0fnu, bytes: [127, 128], values: [1, 2]),
  ]

  @Test("Elements of all number types are read as Float and Double", arguments: widenings)
  func widens(_ test: Widening) throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor(
      "x", toBytes: test.bytes, dtype: test.dtype, shape: [test.values.count])
    let tensor = try #require(checkpoint.tensors()["x"])
    #expect(try tensor.doubles() == test.values)
    #expect(try tensor.floats() == test.values.map { Float($0) })
    #expect(try tensor.bytes() == test.bytes)
  }

  @Test("Every bit of a float32 is kept, a signaling NaN's too")
  func exactFloats() throws {
    var checkpoint = Checkpoint()
    let bytes: [UInt8] = [1, 0, 0x80, 0x7f, 0, 0, 0, 0x80]
    try checkpoint.setTensor("x", toBytes: bytes, dtype: .float32, shape: [2])
    let tensor = try #require(checkpoint.tensors()["x"])
    #expect(try tensor.elements(as: Float.self).map(\.bitPattern) == [0x7f80_0001, 0x8000_0000])
    #expect(try tensor.bytes() == bytes)
  }

  @Test("Complex and quantized elements are no numbers, and the error says what to do")
  func noNumbers() throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor(
      "x", toBytes: [0, 0, 0, 0, 0, 0, 0, 0], dtype: .complex64, shape: [1])
    let tensor = try #require(checkpoint.tensors()["x"])
    let error = #expect(throws: CheckpointError.self) { try tensor.floats() }
    #expect(error?.code == .unsupported)
    #expect(
      error?.description
        == "tensor 'x': the elements are complex64, and Swift has no such numbers")
    #expect(error?.remedy?.text == "read their bytes")
  }

  @Test("Elements are read as their own type only")
  func exactType() throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("x", to: [1, -2] as [Int16], shape: [2])
    let tensor = try #require(checkpoint.tensors()["x"])
    #expect(try tensor.elements(as: Int16.self) == [1, -2])
    let error = #expect(throws: CheckpointError.self) { try tensor.elements(as: Int32.self) }
    #expect(error?.description == "tensor 'x': the elements are int16, expected int32")
  }

  @Test("A buffer of the caller takes exactly the tensor")
  func buffer() throws {
    let tensor = try #require(opening("plain/views.pt").tensors()["perm"])
    var bytes = [UInt8](repeating: 0xee, count: tensor.byteCount)
    var span = bytes.mutableSpan
    var buffer = span.mutableBytes
    try tensor.read(into: &buffer)
    #expect(try bytes == tensor.bytes())

    var short = [UInt8](repeating: 0, count: tensor.byteCount - 1)
    var shortSpan = short.mutableSpan
    var shortBuffer = shortSpan.mutableBytes
    let error = #expect(throws: CheckpointError.self) { try tensor.read(into: &shortBuffer) }
    #expect(error?.description == "tensor 'perm': the buffer has 191 bytes, the tensor 192")
  }

  /// Sizes of chunks for a tensor of 24 elements of 8 bytes, and the sizes that arrive.
  static let chunks: [(asked: Int, found: [Int])] = [
    (1, Array(repeating: 8, count: 24)), (16, Array(repeating: 16, count: 12)),
    (20, Array(repeating: 24, count: 8)), (100, [104, 88]), (-1, Array(repeating: 8, count: 24)),
    (192, [192]), (.max, [192]),
  ]

  @Test("Chunks are whole elements, and together they are the tensor", arguments: chunks)
  func chunked(_ asked: Int, _ found: [Int]) throws {
    let tensor = try #require(opening("plain/views.pt").tensors()["perm"])
    var sizes: [Int] = []
    var bytes: [UInt8] = []
    try tensor.forEachChunk(byteCount: asked) { chunk in
      sizes.append(chunk.byteCount)
      for index in 0..<chunk.byteCount {
        bytes.append(chunk.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      }
    }
    #expect(sizes == found)
    #expect(try bytes == tensor.bytes())
  }

  @Test("An error of the receiver of chunks ends the reading and arrives as it is")
  func chunksEnd() throws {
    struct Enough: Error {}
    let tensor = try #require(opening("plain/views.pt").tensors()["perm"])
    var count = 0
    #expect(throws: Enough.self) {
      try tensor.forEachChunk(byteCount: 8) { _ in
        count += 1
        if count == 3 { throw Enough() }
      }
    }
    #expect(count == 3)
  }

  @Test("Reading stops when it is cancelled")
  func cancelled() throws {
    let cancellation = Cancellation()
    cancellation.cancel()
    let tensor = try #require(opening("plain/views.pt").tensors()["base"])
    let error = #expect(throws: CheckpointError.self) {
      try tensor.floats(budget: CopyBudget(cancellation: cancellation))
    }
    #expect(error?.code == .cancelled)
  }

  @Test("Damage shows when the tensor is read, with the place in the file")
  func damaged() throws {
    let directory = try TemporaryDirectory()
    let builder = TorchFileBuilder()
    var bytes = builder.bytes(.dict([.str("x"), builder.tensor([2], [1, 2])]))
    let place = try #require(
      (0..<bytes.count - 8).first {
        Array(bytes[$0..<$0 + 8]) == [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]
      })
    bytes[place] ^= 1
    try directory.write(bytes, to: "damaged.pt")
    let tensor = try #require(Checkpoint(path: directory / "damaged.pt").tensors()["x"])
    let error = #expect(throws: CheckpointError.self) { try tensor.floats() }
    #expect(error?.code == .checksumMismatch)
    #expect(error?.path == [directory / "damaged.pt", "archive/data/0"])
  }

  @Test("One element of a file that is a tensor of terabytes does not exhaust memory")
  func expanded() throws {
    let shape = [1 << 20, 1 << 20]
    let storage = PickledValue.storage("FloatStorage", .int(1), key: .str("0"))
    let pickle = PickledValue.dict([.str("x"), .tensor(storage, shape, strides: [0, 0])]).pickle()
    let bytes = ZipBuilder.torch(pickle: pickle, storages: [[0, 0, 0x80, 0x3f]]).bytes()
    let tensor = try #require(Checkpoint(reading: MemorySource(bytes, name: "x.pt")).tensors()["x"])
    #expect(tensor.byteCount == 1 << 42)
    let error = #expect(throws: CheckpointError.self) { try tensor.floats() }
    #expect(error?.code == .limitExceeded)
    struct Enough: Error {}
    #expect(throws: Enough.self) { try tensor.forEachChunk { _ in throw Enough() } }
  }

  @Test("Values are found by their paths, whatever holds them")
  func values() throws {
    let checkpoint = try opening("plain/opt-sgd.pt")
    let rate = try #require(checkpoint.value(at: "optimizer.param_groups.0.lr"))
    #expect(rate.double == 0.08535533905932739)
    #expect(rate.int == nil && rate.string == nil && rate.bool == nil && !rate.isNone)
    #expect(checkpoint.value(at: "optimizer.param_groups")?.elements?.count == 1)
    #expect(checkpoint.value(at: "optimizer.param_groups.1") == nil)
    #expect(checkpoint.value(at: "optimizer.param_groups.0.lr.0") == nil)
    #expect(checkpoint.value(at: "") == nil)
    #expect(checkpoint.root.entries?.map { $0.key.string }.contains("optimizer") == true)
  }

  @Test("A key may have dots, alone or among others")
  func dottedKeys() throws {
    var checkpoint = Checkpoint()
    try checkpoint.setValue("a.b", to: ["c.d": 1, "c": ["d": ["e": 2]], "t": [true, nil, "x"]])
    try checkpoint.setValue("a", to: 3)
    #expect(checkpoint.value(at: "a")?.int == 3)
    #expect(checkpoint.value(at: "a.b.c.d")?.int == 1)
    #expect(checkpoint.value(at: "a.b.c.d.e")?.int == 2)
    #expect(checkpoint.value(at: "a.b.t.0")?.bool == true)
    #expect(checkpoint.value(at: "a.b.t.1")?.isNone == true)
    #expect(checkpoint.value(at: "a.b.t.2")?.string == "x")
    #expect(
      checkpoint.value(at: "a.b")?.description
        == "{'c.d': 1, 'c': {'d': {'e': 2}}, 't': [True, None, 'x']}")
    #expect(try checkpoint.values().map(\.name) == ["a.b.c.d", "a.b.c.d.e", "a.b.t", "a"])
  }

  @Test("A dict that holds itself does not hold up a search")
  func recursion() throws {
    // d = {}; d['a'] = d; d['a.a'] = d
    let pickle = Array("}q\0(X\u{1}\0\0\0ah\0X\u{3}\0\0\0a.ah\0u.".utf8)
    let bytes = ZipBuilder.torch(pickle: [0x80, 2] + pickle, storages: []).bytes()
    let checkpoint = try Checkpoint(reading: MemorySource(bytes, name: "x.pt"))
    let path = Array(repeating: "a", count: 500).joined(separator: ".")
    #expect(checkpoint.value(at: path)?.entries?.count == 2)
    #expect(checkpoint.value(at: path + ".b") == nil)
  }
}
