import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// Elements that lie apart, against a copy that goes element by element.
struct StridedCopyTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var offset = 0
    let shape: [Int]
    /// In elements.
    let strides: [Int]
    var unit = 2
    var swap = 1
    var flips: [UInt8] = []
    var testDescription: String { name }

    var elements: StridedElements {
      StridedElements(
        byteOffset: offset * unit, shape: shape, byteStrides: strides.map { $0 * unit },
        elementByteCount: unit, swapWidth: swap, flippedBits: flips)
    }
  }

  static let cases = [
    Case(name: "a scalar", offset: 3, shape: [], strides: []),
    Case(name: "nothing", shape: [3, 0, 2], strides: [0, 5, 1]),
    Case(name: "contiguous", offset: 1, shape: [10, 20], strides: [20, 1]),
    Case(name: "rows with gaps", shape: [50, 20], strides: [37, 1]),
    Case(name: "rows far apart", shape: [5, 20], strides: [3000, 1]),
    Case(name: "every second element", shape: [700], strides: [2]),
    Case(name: "every second column", shape: [30, 20], strides: [40, 2]),
    Case(name: "elements far apart", offset: 7, shape: [9], strides: [1777]),
    Case(name: "transposed", shape: [60, 70], strides: [1, 60]),
    Case(name: "transposed bytes", shape: [60, 70], strides: [1, 60], unit: 1),
    Case(name: "transposed single precision", shape: [60, 70], strides: [1, 60], unit: 4),
    Case(name: "transposed double precision", shape: [60, 70], strides: [1, 60], unit: 8),
    Case(name: "transposed complex numbers", shape: [60, 70], strides: [1, 60], unit: 16),
    Case(name: "a transposed slice", offset: 5, shape: [31, 33], strides: [1, 67]),
    Case(name: "transposed with far rows", shape: [40, 6], strides: [1, 2048]),
    Case(name: "channels last", shape: [4, 8, 5, 5], strides: [200, 1, 40, 8]),
    Case(name: "permuted", shape: [7, 6, 5, 4], strides: [1, 7, 168, 42]),
    Case(name: "flattened pairs", shape: [40, 30, 2], strides: [2, 80, 1]),
    Case(name: "runs of three", shape: [40, 30, 3], strides: [3, 120, 1]),
    Case(name: "one element expanded", offset: 9, shape: [100, 100], strides: [0, 0]),
    Case(name: "a column expanded", shape: [100, 100], strides: [1, 0]),
    Case(name: "a row expanded", shape: [100, 100], strides: [0, 1]),
    Case(name: "a strided row expanded", shape: [100, 100], strides: [0, 3]),
    Case(name: "the middle expanded", shape: [9, 50, 9], strides: [9, 0, 1]),
    Case(name: "sliding windows", shape: [100, 16], strides: [1, 1]),
    Case(name: "overlapping rows", shape: [100, 16], strides: [5, 1]),
    Case(name: "single dimensions", shape: [1, 60, 1, 1, 70, 1], strides: [0, 1, 9, 9999, 60, 4]),
    Case(name: "big-endian", shape: [1000], strides: [1], swap: 2),
    Case(name: "big-endian transposed", shape: [60, 70], strides: [1, 60], unit: 8, swap: 8),
    Case(name: "big-endian complex", shape: [300], strides: [1], unit: 16, swap: 8),
    Case(name: "negated", shape: [1001], strides: [1], flips: [0, 0x80]),
    Case(
      name: "conjugated big-endian", shape: [30, 11], strides: [1, 30], unit: 8, swap: 4,
      flips: [0, 0, 0, 0, 0, 0, 0, 0x80]),
    Case(
      name: "double conjugated", shape: [33], strides: [2], unit: 16,
      flips: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]),
  ]

  /// Returns the offset of each of `elements` from the region's start, in bytes.
  static func offsets(_ elements: StridedElements) -> [Int] {
    var offsets = [elements.byteOffset]
    for (extent, stride) in zip(elements.shape, elements.byteStrides) {
      offsets = offsets.flatMap { offset in (0..<extent).map { offset + $0 * stride } }
    }
    return offsets
  }

  /// Returns the bytes of `elements`, collected one by one.
  static func reference(_ elements: StridedElements, in bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for offset in offsets(elements) {
      var element = Array(bytes[offset..<offset + elements.elementByteCount])
      for start in stride(from: 0, to: element.count, by: elements.swapWidth) {
        element[start..<start + elements.swapWidth].reverse()
      }
      for (index, bits) in elements.flippedBits.enumerated() { element[index] ^= bits }
      result += element
    }
    return result
  }

  /// Elements of a random shape with strides that leave gaps, are permuted, expanded or overlap.
  static func randomElements(using generator: inout SeededGenerator) -> StridedElements {
    let unit = [1, 2, 4, 8, 16].randomElement(using: &generator) ?? 1
    var shape: [Int] = []
    var strides: [Int] = []
    var end = unit
    var next = 1
    for _ in 0..<Int.random(in: 0...5, using: &generator) {
      let extent = Int.random(in: 1...12, using: &generator)
      // Packed, with a gap, expanded, overlapping.
      let stride =
        [next, next, next + Int.random(in: 0...300, using: &generator), 0, 1]
        .randomElement(using: &generator) ?? 0
      guard shape.reduce(unit, *) * extent < 60_000, end + (extent - 1) * stride * unit < 90_000
      else { continue }
      end += (extent - 1) * stride * unit
      next = max(next, stride * extent)
      shape.append(extent)
      strides.append(stride * unit)
    }
    let order = shape.indices.shuffled(using: &generator)
    let swap = [1, 2, 4, 8].filter { unit % $0 == 0 }.randomElement(using: &generator) ?? 1
    let isFlipped = Bool.random(using: &generator)
    return StridedElements(
      byteOffset: Int.random(in: 0...64, using: &generator), shape: order.map { shape[$0] },
      byteStrides: order.map { strides[$0] }, elementByteCount: unit, swapWidth: swap,
      flippedBits: isFlipped ? sampleBytes(unit, seed: generator.next()) : [])
  }

  static func run(
    _ segments: [Segment], threads: Int, memory: Int, isSequential: Bool
  ) throws -> [UInt8] {
    let output = MemoryOutput(isSequential: isSequential)
    try CopyEngine(threadCount: threads, workingMemory: memory)
      .run(FilePlan(segments), into: output)
    #expect(output.isWrittenOnce)
    return output.bytes
  }

  @Test("Elements arrive packed, in small memory and large, in order and not", arguments: cases)
  func table(_ example: Case) throws {
    let bytes = sampleBytes(70_000)
    let region = try FileRegion.holding(bytes)
    let gather = Segment.gather(region, example.elements)
    let packed = Self.reference(example.elements, in: bytes)
    for memory in [300, 1500, 1 << 20] {
      for isSequential in [false, true] {
        let result = try Self.run(
          [.literal([1]), gather, gather, .literal([2])], threads: 1, memory: memory,
          isSequential: isSequential)
        #expect(result == [1] + packed + packed + [2], "memory \(memory)")
      }
    }
    let result = try Self.run([gather], threads: 3, memory: 3000, isSequential: false)
    #expect(result == packed)
  }

  @Test("Random shapes and strides", arguments: 0..<300 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let elements = Self.randomElements(using: &generator)
    let end = Self.offsets(elements).map { $0 + elements.elementByteCount }.max() ?? 0
    let bytes = sampleBytes(end, seed: seed)
    let region = try FileRegion.holding(bytes)
    let memory = Int.random(in: 300...20_000, using: &generator)
    let isSequential = Bool.random(using: &generator)
    let result = try Self.run(
      [.gather(region, elements)], threads: Int.random(in: 1...3, using: &generator),
      memory: memory, isSequential: isSequential)
    #expect(result == Self.reference(elements, in: bytes), "\(elements)")
  }
}
