internal import CkptPlan

/// The reads for the elements of a box: the dimensions of one read, and the destination of its
/// bytes.
struct BoxReading {
  /// The maximum gap between wanted bytes that is read and dropped, in bytes.
  ///
  /// Copying that many takes as long as a system call.
  private static let gap = 2048
  /// The length of a cache line in bytes.
  private static let line = 64

  /// The length of one read in bytes.
  let runByteCount: Int
  /// The number of reads.
  let readCount: Int
  /// The dimensions within one read.
  let inner: [Int]
  /// The dimensions that need separate reads, from the largest stride to the smallest.
  let outer: [Int]
  /// Whether a read has the elements in output order.
  let isInOrder: Bool
  /// The distance in memory between the starts of adjacent reads, in bytes.
  let pitch: Int

  /// Plans the reads for a box of `extents` elements of `layout`.
  ///
  /// `bySourceStride` are its dimensions from the smallest stride to the largest. No read is longer
  /// than `limit` bytes.
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
    // With a power of two between rows, a whole column would share a few cache sets.
    pitch = (run / BoxReading.line + 2) * BoxReading.line
  }
}

/// Runs along one dimension of a box that are read into memory together and then unpacked.
struct Slab {
  /// The number of runs.
  let runCount: Int
  /// The length of a run in bytes.
  let runByteCount: Int
  /// The distance from the first element of the selection to the first run, in bytes.
  let source: Int
  /// The distance between adjacent runs in the source, in bytes.
  let sourceStride: Int
  /// The distance in memory between the starts of adjacent runs, in bytes.
  let pitch: Int
  /// The distance in the target from the first element of the box to that of the slab, in bytes.
  let target: Int
  /// The positions of the elements in memory and in the target.
  let layout: StridedLayout
}

/// The slabs of a box.
///
/// Each has as many runs as the input buffer can hold.
struct Slabs {
  private let reading: BoxReading
  private let dimension: Int?
  private let runCount: Int
  private let runsAtOnce: Int
  private let sourceStride: Int
  private let targetStride: Int
  private let extents: [Int]
  private let strides: [Int]
  private let targetStrides: [Int]
  private let unit: Int
  private var place: Odometer
  private var done = 0
  private var isAtEnd = false

  /// Creates the slabs of `box`, a part of `layout`, with the strides `targetStrides` in the
  /// target.
  init(
    _ box: Tiling.Box, of layout: StridedLayout, targetStrides: [Int], inputByteCount: Int
  ) {
    reading = box.reading
    dimension = reading.outer.last
    runCount = dimension.map { box.extents[$0] } ?? 1
    runsAtOnce = max(1, inputByteCount / reading.pitch)
    sourceStride = dimension.map { layout.strides[$0] } ?? 0
    targetStride = dimension.map { targetStrides[$0] } ?? 0
    var extents = box.extents
    for outer in reading.outer { extents[outer] = 1 }
    self.extents = extents
    var strides = layout.strides
    if let dimension { strides[dimension] = reading.pitch }
    self.strides = strides
    self.targetStrides = targetStrides
    unit = layout.unit
    let others = reading.outer.dropLast()
    place = Odometer(
      extents: others.map { box.extents[$0] }, sourceStrides: others.map { layout.strides[$0] },
      targetStrides: others.map { targetStrides[$0] }, source: box.sourceOffset)
  }

  /// Returns the next slab; `nil` at the end.
  mutating func next() -> Slab? {
    if done == runCount {
      guard !isAtEnd, place.advance() else {
        isAtEnd = true
        return nil
      }
      done = 0
    }
    let count = min(runsAtOnce, runCount - done)
    var extents = extents
    if let dimension { extents[dimension] = count }
    defer { done += count }
    return Slab(
      runCount: count, runByteCount: reading.runByteCount,
      source: place.source + done * sourceStride, sourceStride: sourceStride,
      pitch: reading.pitch, target: place.target + done * targetStride,
      layout: StridedLayout(
        extents: extents, strides: strides, targetStrides: targetStrides, unit: unit))
  }
}
