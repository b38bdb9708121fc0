import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// Elements that are cast on the way.
///
/// `Tests/Interop/test_casts.py` compares all numbers with PyTorch.
struct CastTests {
  /// The elements of a type that is not cast by rounding: `bfloat16` is the first half of `float32`.
  static func widened(_ bytes: [UInt8]) -> [UInt8] {
    stride(from: 0, to: bytes.count, by: 2).flatMap { [0, 0, bytes[$0], bytes[$0 + 1]] }
  }

  /// A segment that casts a stretch of a region from `bfloat16` to `float32`.
  static func widened(_ region: FileRegion, _ range: Range<Int>) -> Segment? {
    widened(
      region,
      StridedElements(
        byteOffset: range.lowerBound, shape: [range.count / 2], byteStrides: [2],
        elementByteCount: 2))
  }

  /// A segment that casts elements of a region from `bfloat16` to `float32`.
  static func widened(_ region: FileRegion, _ elements: StridedElements) -> Segment? {
    ElementCast(from: .bfloat16, to: .float32).map { .cast(region, elements, $0) }
  }

  static let casts = [DType.float64, .float32, .float16, .bfloat16].flatMap { source in
    ElementCast.targets.compactMap { ElementCast(from: source, to: $0) }
  }

  private static func cast(_ bytes: [UInt8], _ cast: ElementCast) -> [UInt8] {
    var result = [UInt8](repeating: 0xee, count: cast.byteCount(after: bytes.count))
    var elements = result.mutableSpan
    var span = elements.mutableBytes
    CastKernels.cast(bytes.span.bytes, into: &span, cast)
    return result
  }

  // MARK: Numbers

  /// Bit patterns of a type: of those of 16 bits as many as ``Thoroughness`` wants; of others those
  /// around every power of two and around the ties of the narrower types, and random ones.
  private static func patterns(of dtype: DType) -> [UInt8] {
    if dtype.byteCount == 2 {
      return stride(from: 0, through: UInt16.max, by: Thoroughness.stride)
        .flatMap { littleEndian($0) }
    }
    var generator = SeededGenerator(seed: 11)
    let fractionBits = dtype == .float32 ? 23 : 52
    let width = UInt64(8 * dtype.byteCount)
    var bits = (0..<40_000 / Thoroughness.stride).map { _ in generator.next() >> (64 - width) }
    for exponent in 0..<UInt64(1) << (width - 1 - UInt64(fractionBits)) {
      let power = exponent << UInt64(fractionBits)
      for tie in [0, 1 << 5, 1 << 7, 1 << 8, 1 << 10, 1 << 11, 3 << 10] as [UInt64] {
        let middle = power &+ tie << UInt64(fractionBits - 12)
        for distance in [-1, 0, 1] as [Int64] {
          bits.append(
            UInt64(bitPattern: Int64(bitPattern: middle) &+ distance) & .max >> (64 - width))
        }
      }
    }
    return bits.flatMap { littleEndian($0).prefix(dtype.byteCount) }
  }

  @Test("Numbers are rounded to the nearest, and of two to the even one", arguments: casts)
  func rounds(_ cast: ElementCast) {
    let source = Self.patterns(of: cast.source)
    let result = Self.cast(source, cast)
    let width = cast.target.byteCount
    for (index, expected) in ReferenceCast.cast(source, cast).enumerated() {
      let found = Array(result[index * width..<(index + 1) * width])
      let start = index * cast.source.byteCount
      if let expected {
        guard found != expected else { continue }
        Issue.record(
          "\(source[start..<start + cast.source.byteCount]) becomes \(found), not \(expected)")
      } else if ReferenceFormat(cast.target)?.value(of: found[...]) != nil {
        Issue.record("NaN \(source[start..<start + cast.source.byteCount]) becomes \(found)")
      }
    }
  }

  struct NaN: Sendable, CustomTestStringConvertible {
    let source: DType
    let bits: UInt64
    let target: DType
    let expected: UInt64
    var testDescription: String {
      "\(source.name) \(String(bits, radix: 16)) to \(target.name)"
    }
  }

  /// Results of PyTorch 2.13 with AVX2.
  static let nans = [
    NaN(source: .float64, bits: 0x7ff0_0000_0000_0001, target: .float32, expected: 0x7fc0_0000),
    NaN(source: .float64, bits: 0xfff4_0000_0000_0001, target: .float32, expected: 0xffe0_0000),
    NaN(source: .float64, bits: 0x7ff8_0000_2000_0000, target: .float32, expected: 0x7fc0_0001),
    NaN(source: .float64, bits: 0x7ff0_0400_0000_0000, target: .float16, expected: 0x7e01),
    NaN(source: .float64, bits: 0xfff8_0000_0000_0000, target: .bfloat16, expected: 0xffff),
    NaN(source: .float32, bits: 0x7f80_0001, target: .float16, expected: 0x7e00),
    NaN(source: .float32, bits: 0xff80_0001, target: .float16, expected: 0xfe00),
    NaN(source: .float32, bits: 0x7fab_cdef, target: .float16, expected: 0x7f5e),
    NaN(source: .float32, bits: 0x7fc0_0000, target: .bfloat16, expected: 0xffff),
    NaN(source: .float32, bits: 0xff80_0001, target: .bfloat16, expected: 0xffff),
    NaN(source: .float16, bits: 0x7c01, target: .float32, expected: 0x7fc0_2000),
    NaN(source: .float16, bits: 0xfd55, target: .float32, expected: 0xffea_a000),
    NaN(source: .float16, bits: 0xfe00, target: .bfloat16, expected: 0x7fc0),
    NaN(source: .bfloat16, bits: 0xff81, target: .float32, expected: 0xff81_0000),
    NaN(source: .bfloat16, bits: 0x7faa, target: .float16, expected: 0x7f50),
  ]

  @Test("A NaN becomes the one that PyTorch makes of it", arguments: nans)
  func nan(_ test: NaN) throws {
    let cast = try #require(ElementCast(from: test.source, to: test.target))
    let source = Array(littleEndian(test.bits).prefix(test.source.byteCount))
    // Alone, and among so many that they are cast several at a time.
    for count in [1, 37] {
      let result = Self.cast((0..<count).flatMap { _ in source }, cast)
      let expected = Array(littleEndian(test.expected).prefix(test.target.byteCount))
      #expect(result == (0..<count).flatMap { _ in expected })
    }
  }

  @Test("Other types, and a type to itself, are no casts")
  func noCasts() {
    for dtype in DType.allCases {
      #expect(ElementCast(from: dtype, to: dtype) == nil)
      #expect(ElementCast(from: dtype, to: .float64) == nil)
      let isSource = [.float64, .float32, .float16, .bfloat16].contains(dtype)
      #expect((ElementCast(from: dtype, to: .float32) != nil) == (isSource && dtype != .float32))
    }
  }

  // MARK: Moving

  @Test("Elements that lie apart are cast too, in small memory and large", arguments: casts)
  func strided(_ cast: ElementCast) throws {
    let bytes = sampleBytes(250_000)
    let region = try FileRegion.holding(bytes)
    let unit = cast.source.byteCount
    for example in StridedCopyTests.cases where example.unit == 2 {
      var elements = example.elements
      elements.elementByteCount = unit
      elements.byteOffset *= unit / 2
      elements.byteStrides = elements.byteStrides.map { $0 * unit / 2 }
      if elements.swapWidth > 1 { elements.swapWidth = unit }
      if !elements.flippedBits.isEmpty {
        elements.flippedBits = [UInt8](repeating: 0, count: unit - 1) + [0x80]
      }
      let expected = Self.cast(StridedCopyTests.reference(elements, in: bytes), cast)
      for memory in [300, 1500, 1 << 20] {
        for isSequential in [false, true] {
          let result = try StridedCopyTests.run(
            [.literal([1]), .cast(region, elements, cast), .literal([2])], threads: 1,
            memory: memory, isSequential: isSequential)
          #expect(result == [1] + expected + [2], "\(example.name), \(memory) bytes of memory")
        }
      }
    }
  }

  @Test("Any number of threads casts to the same bytes", arguments: CopyEngineTests.engines)
  func threads(_ configuration: CopyEngineTests.Engine) throws {
    let bytes = sampleBytes(40_000)
    let region = try FileRegion.holding(bytes)
    var plan = FilePlan()
    var expected: [UInt8] = []
    for cast in Self.casts {
      for range in [0..<40_000, 16..<48, 8..<16, 800..<800] {
        let unit = cast.source.byteCount
        plan.append(
          .cast(
            region,
            StridedElements(
              byteOffset: range.lowerBound, shape: [range.count / unit], byteStrides: [unit],
              elementByteCount: unit),
            cast))
        expected += Self.cast(Array(bytes[range]), cast)
      }
    }
    let output = MemoryOutput(isSequential: configuration.isSequential)
    try configuration.engine.run(plan, into: output)
    #expect(output.bytes == expected)
    #expect(output.isWrittenOnce)
  }

  @Test("The checksum of a source that is cast is verified on the way")
  func checksum() throws {
    let bytes = sampleBytes(100_000)
    let damaged = try FileRegion.holding(bytes).with(crc32: 1)
    let plan = FilePlan([Self.widened(damaged, 0..<100_000)].compactMap(\.self))
    let survey = try ChecksumSchedule(plan, memory: WorkerMemory(threadCount: 1))
    #expect(survey.extraByteCount == 0)
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(plan, into: MemoryOutput())
    }
    #expect(error?.code == .checksumMismatch)
  }
}
