package import CkptBase
package import CkptGraph
internal import CkptPlan

/// An output that stores nothing and compares arriving bytes with expected ones.
///
/// The expected bytes are stored regions in sequence from the start of the output. The kernel
/// decides how elements are compared. Any plan can run into it on any number of threads, with the
/// same result. A difference does not end the run, so all of them are found. If the output has
/// another size than expected, the common bytes are compared.
package final class ComparingOutput<Kernel: ComparisonKernel>: CopyDestination {
  /// A range of the output with the region to compare it with.
  package struct Run: Sendable {
    /// The kernel for its elements.
    package var kernel: Kernel
    /// The region with the packed expected elements.
    package var region: FileRegion

    /// Creates a run of all elements in `region`.
    package init(_ region: FileRegion, by kernel: Kernel) {
      self.kernel = kernel
      self.region = region
    }
  }

  /// A run that differs.
  package struct Difference: Hashable, Sendable {
    /// The number of the run.
    package let run: Int
    /// The differences between its elements.
    package let found: Kernel.Findings
  }

  /// The bytes of an element that arrived only in part; pieces can end anywhere.
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
  /// The positions of the runs in the output.
  private let offsets: RunOffsets
  private let state = Locked(State())

  /// Creates an output that expects the elements of `runs` in sequence.
  ///
  /// - Throws: `truncated` or `malformed` if a region is not inside its file.
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

  /// The number of expected bytes.
  package var expectedByteCount: Int { offsets.byteCount }

  /// The number of bytes of the run, after it has begun.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// The runs that differ, in order.
  package var differences: [Difference] {
    state.withLock { state in
      // Findings also sum up elements that are equal.
      state.found.filter { !$0.value.isEmpty }.map { Difference(run: $0.key, found: $0.value) }
        .sorted { $0.run < $1.run }
    }
  }

  /// False: elements are compared in any order.
  package var isSequential: Bool { false }

  /// False: every byte counts as final.
  package var canOverwrite: Bool { false }

  /// The user's directory for temporary files.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Stores the number of bytes.
  package func prepare(byteCount: Int) throws(CheckpointError) {
    state.withLock { $0.byteCount = byteCount }
  }

  /// Compares arriving elements.
  ///
  /// - Throws: `truncated` or `inputOutput` if the expected bytes cannot be read.
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

  /// Compares bytes of one run, whose first and last elements can be incomplete.
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
    guard result != Kernel.Findings() else { return }
    state.withLock { $0.found[run, default: Kernel.Findings()].merge(result, shiftedBy: 0) }
  }

  /// Stores bytes of an element until all of them have arrived.
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
  /// Creates an output that expects `regions` in sequence, byte by byte.
  ///
  /// - Throws: `truncated` or `malformed` if one is not inside its file.
  package convenience init(expecting regions: [FileRegion]) throws(CheckpointError) {
    try self.init(expecting: regions.map { Run($0, by: ByteComparison()) })
  }

  /// Creates an output that expects all of `source`.
  package convenience init(expecting source: any ByteSource) throws(CheckpointError) {
    try self.init(expecting: [FileRegion(source: source, range: 0..<source.byteCount, name: "all")])
  }
}

/// The number of bytes to read and compare at a time; they stay in the cache.
private let bufferByteCount = 64 << 10

/// The positions of adjacent runs of bytes.
struct RunOffsets: Sendable {
  /// The start of each run, and the end of the last one.
  private var offsets = [0]

  /// Appends a run.
  ///
  /// - Throws: `malformed` if the total size overflows.
  mutating func append(_ byteCount: Int) throws(CheckpointError) {
    offsets.append(try self.byteCount.adding(byteCount, orThrow: "the size of what is expected"))
  }

  /// The size of all runs in bytes.
  var byteCount: Int { offsets[offsets.count - 1] }

  /// The range of a run.
  subscript(run: Int) -> Range<Int> { offsets[run]..<offsets[run + 1] }

  /// Returns the run with the byte at `offset`, which must be in one.
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
