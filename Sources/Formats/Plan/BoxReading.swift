/// How the elements of a box are read: which dimensions one read covers, and where the bytes go.
struct BoxReading {
  /// The widest gap between wanted bytes that is read and dropped instead of skipped, in bytes.
  private static let gap = 1024
  /// The length of a cache line in bytes.
  private static let line = 64

  /// The length of one read in bytes.
  let runByteCount: Int
  /// The number of reads.
  let readCount: Int
  /// The distance in bytes between the starts of neighbouring reads in memory.
  let pitch: Int
  /// The dimensions that separate reads are needed for, from the largest stride to the smallest.
  let outer: [Int]
  /// The strides the elements have in memory.
  let memoryStrides: [Int]

  /// Plans the reads for a box of `extents` elements out of `layout`, whose dimensions from the
  /// smallest stride to the largest are `bySourceStride`.
  init(of extents: [Int], in layout: StridedLayout, _ bySourceStride: [Int]) {
    var run = layout.unit
    var covered = 0
    for dimension in bySourceStride {
      if extents[dimension] > 1 {
        guard layout.strides[dimension] <= run + BoxReading.gap else { break }
        run += (extents[dimension] - 1) * layout.strides[dimension]
      }
      covered += 1
    }
    runByteCount = run
    outer = bySourceStride[covered...].reversed()
    // A power of two between the rows of a box would put a whole column into a few cache sets.
    let innermost = bySourceStride.first { layout.strides[$0] > 0 }
    let isTransposed = innermost != nil && innermost != layout.rank - 1
    pitch = isTransposed ? (run / BoxReading.line + 2) * BoxReading.line : run
    var strides = layout.strides
    var count = 1
    for dimension in bySourceStride[covered...] {
      let (stride, overflow) = pitch.multipliedReportingOverflow(by: count)
      strides[dimension] = overflow ? .max : stride
      count *= extents[dimension]
    }
    memoryStrides = strides
    readCount = count
  }

  /// The memory that the bytes read take, or `nil` when it is more than `budget`.
  func byteCount(within budget: Int) -> Int? {
    guard runByteCount <= budget else { return nil }
    guard readCount > 1 else { return runByteCount }
    return readCount <= budget / pitch ? readCount * pitch : nil
  }
}
