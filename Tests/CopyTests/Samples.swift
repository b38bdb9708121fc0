import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport

/// Random bytes, made once because making them takes longer than most tests.
private let pool: [UInt8] = {
  var generator = SeededGenerator(seed: 1)
  return (0..<400_000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}()

/// Bytes that repeat at no short distance, so that a shifted or repeated copy is noticed.
func sampleBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  let start = Int(seed % 97) * 1000
  return Array(pool[start..<start + count])
}

extension FilePlan {
  /// A plan of these segments.
  init(_ segments: [Segment]) {
    self.init()
    for segment in segments { append(segment) }
  }
}

extension FileRegion {
  /// A new file that is one region, with its checksum.
  static func holding(_ bytes: [UInt8], name: String = "archive/data/0") throws -> FileRegion {
    FileRegion(
      source: try TemporaryFile.holding(bytes), range: 0..<bytes.count,
      crc32: CRC32.checksum(bytes.span), name: name)
  }

  /// A stretch of this region's file, with the checksum of what is there.
  func part(_ range: Range<Int>, of bytes: [UInt8], name: String? = nil) -> FileRegion {
    FileRegion(
      source: source, range: range, crc32: CRC32.checksum(Array(bytes[range]).span),
      name: name ?? "archive/data/\(range.lowerBound)")
  }

  /// The same region with another checksum.
  func with(crc32: UInt32?) -> FileRegion {
    FileRegion(
      source: source, range: range, encoding: encoding, byteCount: byteCount, crc32: crc32,
      name: name)
  }
}
