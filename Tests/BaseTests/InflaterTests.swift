import CkptBase
import CkptTestSupport
import Testing

@Suite("Inflater")
struct InflaterTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let stream: [UInt8]
    let output: [UInt8]
    var testDescription: String { name }
  }

  /// Streams with Huffman codes were made with Python's `zlib.compressobj(9, DEFLATED, -15)`.
  static let cases = [
    Case(name: "an empty block with fixed codes", stream: [0x03, 0x00], output: []),
    Case(name: "an empty stored block", stream: Deflate.stored([]), output: []),
    Case(
      name: "several stored blocks", stream: Deflate.stored(Array(0...200), blockByteCount: 64),
      output: Array(0...200)),
    Case(
      name: "fixed codes with a copy",
      stream: bytes(
        """
        2bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228014ae72456552aa4e4a7eb81\
        79e88af3120b8af5b800
        """),
      output: Array(
        "the quick brown fox jumps over the lazy dog. the quick brown fox naps.\n".utf8)),
    Case(
      name: "dynamic codes",
      stream: bytes(
        """
        5dd13b0a84001443d17e162393c4cfb81c0b51c14a0471f70316c2bbe5ed0ec93eddf3d17c9b6bde96f5fcec\
        4faaa66ba6665bb3abd9d71c6afe6a8e60900597001364024db009384127f0049fe1337783cff0193ec367f8\
        0c9fe1337c812ff085c7c217f8025fe00b7c812fafef0f
        """),
      output: Array((0..<40).map { "layer.\($0).weight\n" }.joined().utf8)),
    Case(
      name: "a copy from distance one, again and again", stream: Deflate.zeros(runs: 40),
      output: [UInt8](repeating: 0, count: 1 + 258 * 40)),
  ]

  @Test("A whole stream decompresses at once", arguments: cases)
  func whole(_ test: Case) throws {
    let inflater = try Inflater()
    var output = [UInt8](repeating: 0xaa, count: test.output.count)
    var span = output.mutableSpan
    var raw = span.mutableBytes
    let step = try inflater.inflate(test.stream.span.bytes, into: &raw)
    #expect(step == (test.stream.count, test.output.count, true))
    #expect(output == test.output)
  }

  @Test("A stream may be cut anywhere", arguments: cases, [1, 2, 3, 7])
  func pieces(_ test: Case, size: Int) throws {
    let inflater = try Inflater()
    var output: [UInt8] = []
    var consumed = 0
    var finished = false
    while !finished {
      let before = (consumed, output.count)
      let input = Array(test.stream[consumed...].prefix(size))
      try output.append(addingCapacity: size) { rest throws(CheckpointError) in
        let step = try inflater.inflate(input.span, appendingTo: &rest)
        consumed += step.consumed
        finished = step.finished
      }
      try #require(finished || (consumed, output.count) != before, "no progress")
    }
    #expect(output == test.output)
    #expect(consumed == test.stream.count)
  }

  @Test("Bytes behind the end of the stream are left alone", arguments: cases)
  func trailing(_ test: Case) throws {
    let inflater = try Inflater()
    let input = test.stream + [1, 2, 3]
    let output = try [UInt8](capacity: test.output.count + 10) { output throws(CheckpointError) in
      let step = try inflater.inflate(input.span, appendingTo: &output)
      #expect(step == (test.stream.count, true))
      let again = try inflater.inflate(input.span, appendingTo: &output)
      #expect(again == (0, true))
    }
    #expect(output == test.output)
  }

  @Test("A stream cut short never finishes", arguments: cases)
  func truncated(_ test: Case) throws {
    for count in test.stream.indices {
      let inflater = try Inflater()
      let input = Array(test.stream.prefix(count))
      let output = try [UInt8](capacity: test.output.count) { output throws(CheckpointError) in
        let step = try inflater.inflate(input.span, appendingTo: &output)
        #expect(!step.finished, "cut at \(count)")
      }
      #expect(test.output.starts(with: output))
    }
  }

  @Test("A stream without data needs no output to finish")
  func noOutput() throws {
    var output = MutableRawSpan()
    let step = try Inflater().inflate(Deflate.stored([]).span.bytes, into: &output)
    #expect(step == (5, 0, true))
  }

  @Test("Without input nothing happens")
  func noInput() throws {
    var bytes: [UInt8] = [0]
    var span = bytes.mutableSpan
    var output = span.mutableBytes
    let step = try Inflater().inflate(RawSpan(), into: &output)
    #expect(step == (0, 0, false))
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    let name: String
    let stream: [UInt8]
    let problem: String
    var testDescription: String { name }
  }

  static let damages = [
    Damage(name: "block type 3", stream: [0x07, 0x00], problem: "invalid block type"),
    Damage(
      name: "a stored length that is not its complement", stream: [0x01, 2, 0, 2, 0],
      problem: "invalid stored block lengths"),
    Damage(
      name: "a copy from before the start", stream: [0x4b, 0x04, 0x12, 0x00, 0x00],
      problem: "invalid distance too far back"),
    Damage(name: "a gzip header", stream: [0x1f, 0x8b, 8, 0], problem: "invalid block type"),
  ]

  @Test("Damaged streams are refused, again and again", arguments: damages)
  func damaged(_ test: Damage) throws {
    let inflater = try Inflater()
    var output = [UInt8](repeating: 0, count: 64)
    for _ in 0..<2 {
      let error = #expect(throws: CheckpointError.self) {
        var span = output.mutableSpan
        var raw = span.mutableBytes
        _ = try inflater.inflate(test.stream.span.bytes, into: &raw)
      }
      #expect(error?.code == .malformed)
      #expect(error?.message.contains(test.problem) == true, "\(error?.message ?? "")")
    }
  }

  @Test("A stream that goes on behind the bytes it announces is not whole")
  func withoutLastBlock() throws {
    let block: [UInt8] = [0, 1, 0, 0xfe, 0xff, 0x41]
    let lastBlock: [UInt8] = [1, 1, 0, 0xfe, 0xff, 0x41]
    #expect(try Inflater.inflate(lastBlock, byteCount: 1) == [0x41])
    #expect(throws: CheckpointError.self) { try Inflater.inflate(block, byteCount: 1) }
  }
}

/// The bytes that hexadecimal digits spell.
private func bytes(_ digits: String) -> [UInt8] {
  let values = digits.compactMap { $0.hexDigitValue.map(UInt8.init) }
  return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}
