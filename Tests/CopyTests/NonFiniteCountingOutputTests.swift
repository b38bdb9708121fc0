import CkptBase
import CkptGraph
import Testing

@testable import CkptCopy

@Suite("Numbers that are not finite are counted")
struct NonFiniteCountingOutputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let dtype: DType
    /// Numbers as their bits, the lowest byte first in the file.
    let bits: [UInt64]
    let nan: Int
    let infinite: Int
    var testDescription: String { dtype.name }
  }

  static let cases = [
    Case(
      dtype: .float64,
      bits: [
        0x7ff0_0000_0000_0000, 0xfff0_0000_0000_0000, 0x7ff0_0000_0000_0001,
        0xffff_ffff_ffff_ffff, 0x7fef_ffff_ffff_ffff, 0,
      ], nan: 2, infinite: 2),
    Case(
      dtype: .float32, bits: [0x7f80_0000, 0xff80_0000, 0x7f80_0001, 0x7f7f_ffff, 0x8000_0000],
      nan: 1, infinite: 2),
    Case(dtype: .float16, bits: [0x7c00, 0xfc00, 0x7e00, 0x7bff], nan: 1, infinite: 2),
    Case(dtype: .bfloat16, bits: [0x7f80, 0xff80, 0x7fc0, 0xff81, 0x7f7f], nan: 2, infinite: 2),
    Case(dtype: .float8_e5m2, bits: [0x7c, 0xfc, 0x7d, 0xff, 0x7b], nan: 2, infinite: 2),
    Case(dtype: .float8_e4m3fn, bits: [0x7f, 0xff, 0x7e, 0x80], nan: 2, infinite: 0),
    Case(dtype: .float8_e4m3fnuz, bits: [0x80, 0x7f, 0xff, 0], nan: 1, infinite: 0),
    Case(dtype: .float8_e8m0fnu, bits: [0xff, 0x7f, 0xfe], nan: 1, infinite: 0),
  ]

  private func bytes(_ test: Case) -> [UInt8] {
    let width = test.dtype.byteCount
    return test.bits.flatMap { number in
      (0..<width).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
  }

  @Test("By their bits, for each type", arguments: cases)
  func counts(_ test: Case) {
    let bytes = bytes(test)
    let counts = NonFiniteCountingOutput(of: [(test.dtype, bytes.count)])
    counts.write(bytes.span.raw, at: 0)
    #expect(counts.results == [.init(nanCount: test.nan, infinityCount: test.infinite)])
  }

  @Test("Numbers below zero are counted where they are asked for, and negative zero is none")
  func negatives() {
    let numbers: [Float] = [-1, 0, -0.0, 2, -Float.leastNonzeroMagnitude, -.infinity]
    let bytes = numbers.flatMap { number in
      (0..<4).map { UInt8(number.bitPattern >> ($0 * 8) & 255) }
    }
    let runs = [(DType.float32, bytes.count), (.float32, bytes.count)]
    let counts = NonFiniteCountingOutput(of: runs, negativesIn: [1])
    counts.write((bytes + bytes).span.raw, at: 0)
    #expect(counts.results.map(\.negativeCount) == [0, 3])
    #expect(counts.results.map(\.infinityCount) == [1, 1])
  }

  @Test("However the bytes are cut into pieces", arguments: 1...19)
  func countsPieces(_ length: Int) {
    let all = Self.cases.map(bytes)
    let counts = NonFiniteCountingOutput(of: zip(Self.cases, all).map { ($0.dtype, $1.count) })
    let stream = all.flatMap(\.self)
    for start in stride(from: 0, to: stream.count, by: length) {
      let piece = Array(stream[start..<min(start + length, stream.count)])
      counts.write(piece.span.raw, at: start)
    }
    #expect(
      counts.results == Self.cases.map { .init(nanCount: $0.nan, infinityCount: $0.infinite) })
  }

  @Test("Integers and packed types are always finite")
  func knowsFiniteTypes() {
    for dtype in [DType.int64, .uint8, .bool, .quint8, .float4_e2m1fn_x2] {
      #expect(!NonFiniteCountingOutput.canSearch(dtype))
    }
  }
}
