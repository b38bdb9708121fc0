internal import CkptBase
internal import CkptGraph

/// A tensor, or a pair of moments, to take statistics of.
enum StatisticsItem: Sendable {
  /// The elements of a tensor.
  case elements(DType, shape: [Int], keepsSketch: Bool)
  /// The two moments of a parameter.
  case moments(MomentPair)
}

/// An output that keeps nothing but statistics of the tensors whose bytes arrive.
///
/// Elements are taken in by blocks of ``StatisticsKernels/blockCount``, counted from the first one of
/// a tensor, wherever the pieces end in which they arrive.
final class StatisticsOutput: CopyDestination {
  /// Bytes of one tensor that arrive one after the other.
  fileprivate struct Run {
    var dtype: DType
    var byteCount: Int
    /// Whether they are of the second of two moments.
    var isSecond = false
  }

  fileprivate struct State {
    var items: ArraySlice<StatisticsItem>
    var results: [StatisticsResult] = []
    var elements: ElementAccumulator?
    var moments: MomentAccumulator?
    /// The runs of the item that have not arrived, the next one last.
    var runs: [Run] = []
    /// The beginning of a block that ends in the next bytes.
    var rest: [UInt8] = []
    var work = BlockWork()
  }

  private let state: Locked<State>

  /// An output for the elements of `items`, one after the other.
  init(of items: [StatisticsItem]) {
    state = Locked(State(items: items[...]))
    state.withLock { $0.advance() }
  }

  /// The statistics of the items, once all bytes have arrived.
  var results: [StatisticsResult] { state.withLock(\.results) }

  /// Always: sums are taken in order.
  var isSequential: Bool { true }

  /// The user's directory for temporary files.
  var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing: nothing is kept.
  func prepare(byteCount: Int) {}

  /// Takes in the next bytes.
  func write(_ bytes: RawSpan, at offset: Int) {
    state.withLock { $0.take(bytes) }
  }
}

extension StatisticsOutput.State {
  fileprivate mutating func take(_ bytes: RawSpan) {
    var place = 0
    while place < bytes.byteCount, let run = runs.last {
      let block = min(run.byteCount, StatisticsKernels.blockCount * run.dtype.byteCount)
      let end = min(bytes.byteCount, place + block - rest.count)
      let piece = bytes.extracting(place..<end)
      place = end
      guard rest.count + piece.byteCount == block else {
        rest.append(copying: Span(_bytes: piece))
        return
      }
      if rest.isEmpty {
        add(piece, run)
      } else {
        rest.append(copying: Span(_bytes: piece))
        let whole = rest
        rest.removeAll(keepingCapacity: true)
        add(whole.span.raw, run)
      }
      runs[runs.count - 1].byteCount -= block
      if runs[runs.count - 1].byteCount == 0 {
        runs.removeLast()
        advance()
      }
    }
  }

  /// Takes in a block.
  private mutating func add(_ bytes: RawSpan, _ run: StatisticsOutput.Run) {
    elements?.add(bytes, by: &work)
    if run.isSecond {
      moments?.addSecond(bytes, by: &work)
    } else {
      moments?.addFirst(bytes, by: &work)
    }
  }

  /// Goes on to the next item of which bytes will arrive, once all of the last one have.
  fileprivate mutating func advance() {
    while runs.isEmpty {
      finish()
      guard let item = items.popFirst() else { return }
      begin(item)
    }
  }

  private mutating func begin(_ item: StatisticsItem) {
    switch item {
    case .elements(let dtype, let shape, let keepsSketch):
      elements = ElementAccumulator(dtype, shape: shape, keepsSketch: keepsSketch)
      let byteCount = shape.reduce(dtype.byteCount, *)
      if byteCount > 0 { runs = [StatisticsOutput.Run(dtype: dtype, byteCount: byteCount)] }
    case .moments(let pair):
      moments = MomentAccumulator(pair)
      for window in pair.windows.reversed() {
        runs.append(
          .init(
            dtype: pair.second, byteCount: window.count * pair.second.byteCount, isSecond: true))
        runs.append(
          .init(dtype: pair.first, byteCount: window.count * pair.first.byteCount))
      }
    }
  }

  private mutating func finish() {
    if let elements = elements.take() { results.append(.elements(elements.finish())) }
    if let moments = moments.take() { results.append(.moments(moments.finish())) }
  }
}

extension MomentPair {
  /// The elements that arrive of one moment before those of the other.
  var windows: [Range<Int>] {
    let count = shape.reduce(1, *)
    return stride(from: 0, to: count, by: Self.windowCount).map {
      $0..<min($0 + Self.windowCount, count)
    }
  }
}

/// The statistics of an item.
package enum StatisticsResult: Hashable, Sendable {
  /// Those of a tensor.
  case elements(ElementStatistics)
  /// Those of the two moments of a parameter.
  case moments(MomentStatistics)
}
