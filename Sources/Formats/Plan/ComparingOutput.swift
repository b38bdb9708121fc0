public import Bytes
public import Graph

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
  public init(expecting runs: [FileRegion]) throws(FormatError) {
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
  public convenience init(expecting file: SourceFile) throws(FormatError) {
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
  public func prepare(byteCount: Int) throws(FormatError) {
    state.withLock { $0.byteCount = byteCount }
  }

  /// Compares `bytes` with those that are expected at `offset`.
  ///
  /// - Throws: `truncated` or `inputOutput` when these cannot be read.
  public func write(_ bytes: RawSpan, at offset: Int) throws(FormatError) {
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
