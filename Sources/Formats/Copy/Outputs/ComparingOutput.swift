package import CkptBase
package import CkptGraph
internal import CkptPlan

/// An output that keeps nothing but compares what arrives with what is expected.
///
/// What is expected are stored regions, one after the other from the output's start; the kernel says
/// how elements are compared. This can be the destination of any plan on any number of threads, and
/// the result does not depend on it. A difference does not end the run, so that all of them can be
/// told afterwards. Of outputs of another size than expected, the bytes that both have are compared.
package final class ComparingOutput<Kernel: ComparisonKernel>: CopyDestination {
  /// A stretch of the output and what it is compared with.
  package struct Run: Sendable {
    /// The way in which its elements are compared.
    package var kernel: Kernel
    /// The place where the elements that are expected lie packed.
    package var region: FileRegion

    /// A run of all elements in `region`.
    package init(_ region: FileRegion, by kernel: Kernel) {
      self.kernel = kernel
      self.region = region
    }
  }

  /// A run that differs from what arrived.
  package struct Difference: Hashable, Sendable {
    /// The number of the run.
    package let run: Int
    /// The differences between its elements.
    package let found: Kernel.Findings
  }

  /// The bytes of an element of which only a part has arrived: pieces end anywhere.
  private struct Fragment {
    var bytes: [UInt8]
    var missing: Int
  }

  private struct Place: Hashable {
    var run: Int
    var element: Int
  }

  private struct State {
    var found: [Int: Kernel.Findings] = [:]
    var fragments: [Place: Fragment] = [:]
    var byteCount = 0
  }

  private let runs: [Run]
  /// The places of the runs in the output.
  private let offsets: RunOffsets
  private let state = Locked(State())

  /// An output that is expected to be the elements of `runs`, one run after the other.
  ///
  /// - Throws: `truncated` or `malformed` when a region is not inside its file.
  package init(expecting runs: [Run]) throws(CheckpointError) {
    self.runs = runs
    var offsets = RunOffsets()
    for run in runs {
      let width = run.kernel.expectedByteCount
      precondition(run.region.encoding == .stored, "compressed bytes cannot be read at any offset")
      precondition(run.region.byteCount.isMultiple(of: width), "elements are not cut")
      try run.region.validate()
      try offsets.append(run.region.byteCount / width * run.kernel.arrivingByteCount)
    }
    self.offsets = offsets
  }

  /// The number of bytes that are expected to arrive.
  package var expectedByteCount: Int { offsets.byteCount }

  /// The number of bytes that were announced, once a run has begun.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// The runs that differ from what arrived, in their order.
  package var differences: [Difference] {
    state.withLock { state in
      state.found.map { Difference(run: $0.key, found: $0.value) }.sorted { $0.run < $1.run }
    }
  }

  /// Never: elements are compared in any order.
  package var isSequential: Bool { false }

  /// Never: every byte that arrives is taken for the final one.
  package var canOverwrite: Bool { false }

  /// The user's directory for temporary files.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Notes how many bytes there will be.
  package func prepare(byteCount: Int) throws(CheckpointError) {
    state.withLock { $0.byteCount = byteCount }
  }

  /// Compares the elements whose bytes arrive.
  ///
  /// - Throws: `truncated` or `inputOutput` when what is expected cannot be read.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    let end = min(offset + bytes.byteCount, expectedByteCount)
    guard offset < end else { return }
    var buffer = try PageBuffer(byteCount: bufferByteCount)
    var work = try PageBuffer(byteCount: Kernel.workingByteCount)
    var run = offsets.run(at: offset)
    var place = offset
    while place < end {
      while offsets[run].upperBound <= place { run += 1 }
      let stop = min(end, offsets[run].upperBound)
      let part = bytes.extracting(place - offset..<stop - offset)
      try compare(part, at: place - offsets[run].lowerBound, of: run, by: &buffer, &work)
      place = stop
    }
  }

  /// Compares bytes of one run, of which the first and last elements may be cut.
  private func compare(
    _ bytes: RawSpan, at start: Int, of run: Int, by buffer: inout PageBuffer,
    _ work: inout PageBuffer
  ) throws(CheckpointError) {
    let width = runs[run].kernel.arrivingByteCount
    let end = start + bytes.byteCount
    let firstWhole = (start + width - 1) / width
    let lastWhole = end / width
    guard firstWhole <= lastWhole else {
      return try add(bytes, at: start, of: run, by: &buffer, &work)
    }
    let (head, tail) = (firstWhole * width - start, lastWhole * width - start)
    try add(bytes.extracting(0..<head), at: start, of: run, by: &buffer, &work)
    try compareWhole(bytes.extracting(head..<tail), from: firstWhole, of: run, by: &buffer, &work)
    try add(
      bytes.extracting(tail..<bytes.byteCount), at: lastWhole * width, of: run, by: &buffer, &work)
  }

  private func compareWhole(
    _ bytes: RawSpan, from first: Int, of run: Int, by buffer: inout PageBuffer,
    _ work: inout PageBuffer
  ) throws(CheckpointError) {
    let (kernel, region) = (runs[run].kernel, runs[run].region)
    let (width, otherWidth) = (kernel.arrivingByteCount, kernel.expectedByteCount)
    let count = bytes.byteCount / width
    let step = bufferByteCount / otherWidth
    var result = Kernel.Findings()
    for start in stride(from: 0, to: count, by: step) {
      let end = min(start + step, count)
      let byteCount = (end - start) * otherWidth
      var room = buffer.mutableBytes
      var part = room._mutatingExtracting(0..<byteCount)
      try region.source.readAll(
        at: region.range.lowerBound + (first + start) * otherWidth, into: &part)
      var workBytes = work.mutableBytes
      kernel.compare(
        bytes.extracting(start * width..<end * width),
        buffer.bytes.extracting(0..<byteCount), from: first + start, by: &workBytes,
        &result)
    }
    guard !result.isEmpty else { return }
    state.withLock { $0.found[run, default: Kernel.Findings()].merge(result, shiftedBy: 0) }
  }

  /// Keeps bytes of an element until all of them have arrived.
  private func add(
    _ bytes: RawSpan, at start: Int, of run: Int, by buffer: inout PageBuffer,
    _ work: inout PageBuffer
  ) throws(CheckpointError) {
    guard bytes.byteCount > 0 else { return }
    let width = runs[run].kernel.arrivingByteCount
    let place = Place(run: run, element: start / width)
    let whole = state.withLock { state -> [UInt8]? in
      var fragment =
        state.fragments[place]
        ?? Fragment(bytes: [UInt8](repeating: 0, count: width), missing: width)
      let new = Span<UInt8>(_bytes: bytes)
      for index in new.indices { fragment.bytes[start % width + index] = new[index] }
      fragment.missing -= bytes.byteCount
      state.fragments[place] = fragment.missing == 0 ? nil : fragment
      return fragment.missing == 0 ? fragment.bytes : nil
    }
    guard let whole else { return }
    try compareWhole(whole.span.raw, from: place.element, of: run, by: &buffer, &work)
  }
}

extension ComparingOutput where Kernel == ByteComparison {
  /// An output that is expected to be `regions`, one after the other, byte by byte.
  ///
  /// - Throws: `truncated` or `malformed` when one is not inside its file.
  package convenience init(expecting regions: [FileRegion]) throws(CheckpointError) {
    try self.init(expecting: regions.map { Run($0, by: ByteComparison()) })
  }

  /// An output that is expected to be all of `source`.
  package convenience init(expecting source: any ByteSource) throws(CheckpointError) {
    try self.init(expecting: [FileRegion(source: source, range: 0..<source.byteCount, name: "all")])
  }
}

/// The bytes read and compared at a time: few enough that they stay in the cache.
private let bufferByteCount = 64 << 10

/// The places of runs of bytes that follow each other without a gap.
struct RunOffsets: Sendable {
  /// The start of each run, and the end of the last one.
  private var offsets = [0]

  /// Adds a run at the end.
  ///
  /// - Throws: `malformed` when no number is as large as all runs together.
  mutating func append(_ byteCount: Int) throws(CheckpointError) {
    offsets.append(try self.byteCount.adding(byteCount, orThrow: "the size of what is expected"))
  }

  /// The size of all runs in bytes.
  var byteCount: Int { offsets[offsets.count - 1] }

  /// The place of a run.
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
