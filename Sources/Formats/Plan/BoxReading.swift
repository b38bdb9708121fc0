/// How the elements of a box are read: which dimensions one read covers, and where its bytes go.
struct BoxReading {
  /// The widest gap between wanted bytes that is read and dropped instead of skipped, in bytes: to
  /// copy as many takes as long as a system call.
  private static let gap = 2048
  /// The length of a cache line in bytes.
  private static let line = 64

  /// The length of one read in bytes.
  let runByteCount: Int
  /// The number of reads.
  let readCount: Int
  /// The dimensions that one read covers.
  let inner: [Int]
  /// The dimensions that separate reads are needed for, from the largest stride to the smallest.
  let outer: [Int]
  /// Whether a read has the elements in the order in which the output has them.
  let isInOrder: Bool
  /// The distance in bytes between the starts of neighbouring reads in memory.
  let pitch: Int

  /// Plans the reads for a box of `extents` elements out of `layout`, whose dimensions from the
  /// smallest stride to the largest are `bySourceStride`; no read is longer than `limit` bytes.
  init(of extents: [Int], in layout: StridedLayout, _ bySourceStride: [Int], limit: Int) {
    var run = layout.unit
    var covered = 0
    for dimension in bySourceStride {
      let reach = (extents[dimension] - 1) * layout.strides[dimension]
      guard
        reach == 0
          || layout.strides[dimension] <= run + BoxReading.gap && reach <= limit - run
      else { break }
      run += reach
      covered += 1
    }
    runByteCount = run
    inner = Array(bySourceStride[..<covered])
    outer = bySourceStride[covered...].reversed()
    readCount = outer.reduce(1) { $0 * extents[$1] }
    let packed = StridedLayout.packedStrides(extents, unit: layout.unit)
    isInOrder = inner.allSatisfy { extents[$0] == 1 || layout.strides[$0] == packed[$0] }
    // A power of two between the rows in memory would put a whole column into a few cache sets.
    pitch = (run / BoxReading.line + 2) * BoxReading.line
  }
}
