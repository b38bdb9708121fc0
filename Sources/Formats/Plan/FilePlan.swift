package import CkptGraph

/// Everything about an output file except its bytes: which run of bytes comes from where.
///
/// A plan is made without touching tensor data, so the size of the output is known before a byte
/// moves. The copy engine executes one.
package struct FilePlan: Sendable {
  /// The runs of bytes, in the order of the output.
  package private(set) var segments: [Segment]
  /// The size of the output in bytes.
  package private(set) var byteCount: Int
  /// Source regions whose checksum must hold although the output takes only a part of their bytes,
  /// or none.
  package private(set) var inspectedRegions: [FileRegion]
  /// The runs of ``segments`` whose checksums computed segments ask for, none inside another.
  package private(set) var records: [Range<Int>]

  /// An empty plan.
  package init() {
    segments = []
    byteCount = 0
    inspectedRegions = []
    records = []
  }

  /// Adds a run of bytes to the end of the output.
  package mutating func append(_ segment: Segment) {
    byteCount += segment.byteCount
    segments.append(segment)
  }

  /// Asks for the checksum of `region` to be verified even if no segment copies all of it.
  package mutating func inspect(_ region: FileRegion) {
    inspectedRegions.append(region)
  }

  /// Makes the segments from number `start` to the last one a record, and returns its number.
  ///
  /// Segments computed later can ask for the CRC-32 of its bytes.
  package mutating func closeRecord(from start: Int) -> Int {
    precondition(start <= segments.count && start >= records.last?.upperBound ?? 0)
    records.append(start..<segments.count)
    return records.count - 1
  }
}

/// The CRC-32 of the records of an output, for the segments that are computed from them.
package struct RecordChecksums: Sendable {
  private let sum: @Sendable (Int) -> UInt32

  /// The sums that `sum` gives for the numbers that ``FilePlan/closeRecord(from:)`` gave.
  package init(_ sum: @escaping @Sendable (Int) -> UInt32) { self.sum = sum }

  /// The checksum of a record that ends before the segment that asks.
  package subscript(record: Int) -> UInt32 { sum(record) }
}
