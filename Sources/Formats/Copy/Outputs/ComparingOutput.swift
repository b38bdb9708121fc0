public import CkptBase
public import CkptGraph
internal import CkptPlan

/// An output that keeps nothing but compares what arrives with bytes that are expected.
///
/// What is expected are stored regions, one after the other from the output's start. A difference
/// does not end the run, so that all of them can be told afterwards. Of outputs of another size than
/// expected, the bytes that both have are compared.
public final class ComparingOutput: CopyDestination {
  /// How one of the expected regions differs from what arrived.
  public struct Difference: Hashable, Sendable {
    /// The number of the region.
    public let run: Int
    /// The lowest byte that differs, counted from the region's start.
    public let offset: Int
    /// The number of bytes that differ.
    public let byteCount: Int
  }

  /// The bytes read and compared at a time: few enough that they stay in the cache.
  private static let bufferByteCount = 64 << 10

  private let runs: [FileRegion]
  /// Where the runs lie in the output.
  private let offsets: RunOffsets
  private let state = Locked((found: [Int: Difference](), byteCount: 0))

  /// An output that is expected to be `runs`, one after the other.
  ///
  /// - Throws: `truncated` or `malformed` when one is not inside its file.
  public init(expecting runs: [FileRegion]) throws(CheckpointError) {
    self.runs = runs
    var offsets = RunOffsets()
    for run in runs {
      precondition(run.encoding == .stored, "compressed bytes cannot be compared at any offset")
      try run.validate()
      try offsets.append(run.byteCount)
    }
    self.offsets = offsets
  }

  /// An output that is expected to be all of `file`.
  public convenience init(expecting file: SourceFile) throws(CheckpointError) {
    try self.init(expecting: [FileRegion(file: file, range: 0..<file.byteCount, name: "all")])
  }

  /// The number of bytes that are expected.
  public var expectedByteCount: Int { offsets.byteCount }

  /// The number of bytes that were announced, once a run has begun.
  public var byteCount: Int { state.withLock { $0.byteCount } }

  /// The expected regions that differ from what arrived, in their order.
  public var differences: [Difference] {
    state.withLock { $0.found.values.sorted { $0.run < $1.run } }
  }

  /// Never: bytes are compared in any order.
  public var isSequential: Bool { false }

  /// Never: every byte that arrives is taken for the final one.
  public var canOverwrite: Bool { false }

  /// The user's directory for temporary files.
  public var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Notes how many bytes there will be.
  public func prepare(byteCount: Int) throws(CheckpointError) {
    state.withLock { $0.byteCount = byteCount }
  }

  /// Compares `bytes` with those that are expected at `offset`.
  ///
  /// - Throws: `truncated` or `inputOutput` when these cannot be read.
  public func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    let end = min(offset + bytes.byteCount, expectedByteCount)
    guard offset < end else { return }
    var buffer = try PageBuffer(byteCount: min(ComparingOutput.bufferByteCount, end - offset))
    var expected = buffer.mutableBytes
    var run = offsets.run(at: offset)
    var place = offset
    while place < end {
      while offsets[run].upperBound <= place { run += 1 }
      let count = min(end, offsets[run].upperBound, place + expected.byteCount) - place
      var part = expected._mutatingExtracting(0..<count)
      let runOffset = place - offsets[run].lowerBound
      try runs[run].file.readAll(at: runs[run].range.lowerBound + runOffset, into: &part)
      let arrived = bytes.extracting(place - offset..<place - offset + count)
      if let found = ElementKernels.differences(part.bytes, arrived) {
        note(Difference(run: run, offset: runOffset + found.first, byteCount: found.count))
      }
      place += count
    }
  }

  private func note(_ difference: Difference) {
    state.withLock { state in
      let known = state.found[difference.run]
      state.found[difference.run] = Difference(
        run: difference.run, offset: min(difference.offset, known?.offset ?? .max),
        byteCount: difference.byteCount + (known?.byteCount ?? 0))
    }
  }
}

/// Where runs of bytes lie that follow each other without a gap.
struct RunOffsets: Sendable {
  /// Where each run begins, and where the last one ends.
  private var offsets = [0]

  /// Adds a run at the end.
  ///
  /// - Throws: `malformed` when no number is as large as all runs together.
  mutating func append(_ byteCount: Int) throws(CheckpointError) {
    offsets.append(try self.byteCount.adding(byteCount, orThrow: "the size of what is expected"))
  }

  /// The size of all runs in bytes.
  var byteCount: Int { offsets[offsets.count - 1] }

  /// Where a run lies.
  subscript(run: Int) -> Range<Int> { offsets[run]..<offsets[run + 1] }

  /// The run that has the byte at `offset`, which is expected to be in one.
  func run(at offset: Int) -> Int {
    var candidates = 0..<offsets.count - 1
    while candidates.count > 1 {
      let middle = candidates.lowerBound + candidates.count / 2
      candidates =
        offsets[middle] <= offset
        ? middle..<candidates.upperBound : candidates.lowerBound..<middle
    }
    return candidates.lowerBound
  }
}
