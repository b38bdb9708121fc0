internal import Bytes
package import Graph

/// An output that keeps nothing but how many numbers of each of several runs are not finite.
package final class NonFiniteCounts: CopyDestination {
  /// What a run of numbers holds.
  package struct Result: Hashable, Sendable {
    /// How many are no numbers.
    package var nanCount = 0
    /// How many are infinite.
    package var infinityCount = 0
  }

  private struct State {
    var run = 0
    var results: [Result]
    /// The beginning of a number that ends in the next bytes.
    var rest: [UInt8] = []
  }

  private let patterns: [NonFinitePattern]
  /// Where each run ends.
  private let ends: [Int]
  private let state: Locked<State>

  /// Whether numbers of that type can be other than finite.
  package static func canSearch(_ dtype: DType) -> Bool { NonFinitePattern(dtype) != nil }

  /// An output for runs of numbers of these types and sizes in bytes, one after the other and none
  /// of them empty; all types must be such that ``canSearch(_:)``.
  package init(of runs: [(dtype: DType, byteCount: Int)]) {
    patterns = runs.compactMap { NonFinitePattern($0.dtype) }
    precondition(patterns.count == runs.count, "numbers of these types are always finite")
    var end = 0
    ends = runs.map { run in
      end += run.byteCount
      return end
    }
    state = Locked(State(results: Array(repeating: Result(), count: runs.count)))
  }

  /// What each run holds, once all bytes have arrived.
  package var results: [Result] { state.withLock(\.results) }

  /// Always: numbers may be cut where pieces end.
  package var isSequential: Bool { true }

  /// The user's directory for temporary files.
  package var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing: nothing is kept.
  package func prepare(byteCount: Int) {}

  /// Looks at the next bytes.
  package func write(_ bytes: RawSpan, at offset: Int) {
    state.withLock { state in
      var place = 0
      while place < bytes.byteCount {
        let end = min(bytes.byteCount, ends[state.run] - offset)
        take(bytes.extracting(place..<end), &state)
        if offset + end == ends[state.run] { state.run += 1 }
        place = end
      }
    }
  }

  /// Counts in bytes of one run.
  private func take(_ bytes: RawSpan, _ state: inout State) {
    let pattern = patterns[state.run]
    var start = 0
    if !state.rest.isEmpty {
      start = min(pattern.width - state.rest.count, bytes.byteCount)
      for place in 0..<start { state.rest.append(bytes.byte(at: place)) }
      guard state.rest.count == pattern.width else { return }
      let number = state.rest
      state.rest = []
      count(pattern, in: number.span.raw, &state)
    }
    let whole = start + (bytes.byteCount - start) / pattern.width * pattern.width
    count(pattern, in: bytes.extracting(start..<whole), &state)
    for place in whole..<bytes.byteCount { state.rest.append(bytes.byte(at: place)) }
  }

  private func count(_ pattern: NonFinitePattern, in bytes: RawSpan, _ state: inout State) {
    let all = ElementKernels.count(
      of: pattern.pattern, under: pattern.mask, width: pattern.width, in: bytes)
    guard all > 0 else { return }
    let infinite = pattern.infinityMask.map {
      ElementKernels.count(of: pattern.pattern, under: $0, width: pattern.width, in: bytes)
    }
    state.results[state.run].infinityCount += infinite ?? 0
    state.results[state.run].nanCount += all - (infinite ?? 0)
  }
}

extension RawSpan {
  /// One byte.
  fileprivate func byte(at place: Int) -> UInt8 { Span<UInt8>(_bytes: self)[place] }
}
