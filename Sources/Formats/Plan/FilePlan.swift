package import CkptGraph

/// A plan of an output file: the source of every run of bytes, but not the bytes.
///
/// Making a plan does not touch tensor data, so the size of the output is known before a byte is
/// copied. The copy engine runs the plan.
package struct FilePlan: Sendable {
  /// The runs of bytes, in output order.
  package private(set) var segments: [Segment]
  /// The size of the output in bytes.
  package private(set) var byteCount: Int
  /// Source regions whose checksum must match although the output uses only a part of their bytes,
  /// or none.
  package private(set) var inspectedRegions: [FileRegion]
  /// The runs of ``segments`` whose checksums computed segments need; they do not overlap.
  package private(set) var records: [Range<Int>]

  /// Creates an empty plan.
  package init() {
    segments = []
    byteCount = 0
    inspectedRegions = []
    records = []
  }

  /// Appends a run of bytes to the output.
  package mutating func append(_ segment: Segment) {
    byteCount += segment.byteCount
    segments.append(segment)
  }

  /// Appends another plan.
  ///
  /// `data` takes the place of its segment `placeholder`, and has as many bytes.
  package mutating func append(
    contentsOf other: FilePlan, replacing placeholder: Int? = nil, by data: [Segment] = []
  ) {
    let (start, firstRecord) = (segments.count, records.count)
    segments.reserveCapacity(start + other.segments.count + data.count)
    for (index, segment) in other.segments.enumerated() {
      if index == placeholder {
        segments += data
      } else if case .computed(let byteCount, let bytes) = segment {
        segments.append(
          .computed(byteCount: byteCount) { sums in
            bytes(RecordChecksums { sums[$0 + firstRecord] })
          })
      } else {
        segments.append(segment)
      }
    }
    let shift = placeholder == nil ? 0 : data.count - 1
    func place(_ index: Int) -> Int {
      start + index + (index > placeholder ?? .max ? shift : 0)
    }
    records += other.records.map { place($0.lowerBound)..<place($0.upperBound) }
    inspectedRegions += other.inspectedRegions
    byteCount += other.byteCount
  }

  /// Requests a check of the checksum of `region`, even if no segment copies all of it.
  package mutating func inspect(_ region: FileRegion) {
    inspectedRegions.append(region)
  }

  /// Makes the segments from number `start` on a record, and returns its number.
  ///
  /// Later computed segments can use the CRC-32 of its bytes.
  package mutating func closeRecord(from start: Int) -> Int {
    precondition(start <= segments.count && start >= records.last?.upperBound ?? 0)
    records.append(start..<segments.count)
    return records.count - 1
  }
}

/// The CRC-32 of the records of an output, for computed segments.
package struct RecordChecksums: Sendable {
  private let sum: @Sendable (Int) -> UInt32

  /// Creates checksums from a function of the numbers that ``FilePlan/closeRecord(from:)``
  /// returned.
  package init(_ sum: @escaping @Sendable (Int) -> UInt32) { self.sum = sum }

  /// The checksum of a record that ends before the segment.
  package subscript(record: Int) -> UInt32 { sum(record) }
}
