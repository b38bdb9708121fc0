internal import CkptBase
internal import CkptCompare
internal import CkptCopy
internal import CkptGraph
internal import CkptPlan

/// A tensor, or the two moments of a parameter, whose elements one thread takes in, in their order.
///
/// Sums do not depend on the number of threads then.
struct MeasurementUnit: Sendable {
  /// The rows that the statistics belong to.
  enum Subject {
    /// The tensor in that row.
    case tensor(row: Int)
    /// The moments of that parameter, in those rows.
    case moments(parameter: Int, first: Int, second: Int, UpdateRule)
  }

  let subject: Subject
  /// The elements, for two moments those of both.
  fileprivate(set) var tensors: [MeasuredElements]
  /// The regions whose checksums are verified beside.
  fileprivate var inspected: [FileRegion] = []

  init(subject: Subject, tensors: [MeasuredElements]) {
    self.subject = subject
    self.tensors = tensors
  }

  fileprivate var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  /// The regions that the elements come from, each once.
  fileprivate var regions: [FileRegion] {
    var known: Set<FileRegion.Identity> = []
    return tensors.flatMap(\.segments).flatMap(\.regions).filter {
      known.insert(FileRegion.Identity($0)).inserted
    }
  }

  /// Adds the elements to a plan.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  fileprivate func add(
    to plan: inout StatisticsPlan, _ budget: CopyBudget
  ) throws(CheckpointError) {
    switch subject {
    case .tensor:
      let tensor = tensors[0]
      plan.append(
        tensor.segments, tensor.dtype, shape: tensor.shape, keepsSketch: tensor.keepsSketch)
    case .moments(_, _, _, let rule):
      let (first, second) = (tensors[0], tensors[1])
      try plan.append(
        first: (first.segments, first.dtype), second: (second.segments, second.dtype),
        shape: first.shape, rule: rule, budget: budget)
    }
    for region in inspected { plan.inspect(region) }
  }
}

/// The packed elements of a tensor.
struct MeasuredElements: Sendable {
  fileprivate(set) var segments: [Segment]
  let dtype: DType
  let shape: [Int]
  /// Whether there will be a sketch of them.
  let keepsSketch: Bool

  init(segments: [Segment], dtype: DType, shape: [Int], keepsSketch: Bool) {
    self.segments = segments
    self.dtype = dtype
    self.shape = shape
    self.keepsSketch = keepsSketch
  }

  fileprivate var byteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }
}

extension [MeasurementUnit] {
  /// The size from which a unit is a piece of work for itself, in bytes.
  private static var pieceByteCount: Int { 4 << 20 }

  /// Has a region that several units take from verified once, by the first of them.
  mutating func shareChecksums() {
    var users: [FileRegion.Identity: Int] = [:]
    for unit in self {
      for region in unit.regions { users[FileRegion.Identity(region), default: 0] += 1 }
    }
    var checked: Set<FileRegion.Identity> = []
    for index in indices {
      let shared = self[index].regions.filter { users[FileRegion.Identity($0)] ?? 0 > 1 }
      guard !shared.isEmpty else { continue }
      for region in shared where checked.insert(FileRegion.Identity(region)).inserted {
        self[index].inspected.append(region)
      }
      for tensor in self[index].tensors.indices {
        self[index].tensors[tensor].segments = self[index].tensors[tensor].segments.map(\.unchecked)
      }
    }
  }

  /// The state that the threads share.
  private struct State {
    var next = 0
    var results: [[StatisticsResult]]
    var done: [Int]
    var failure: (piece: Int, error: CheckpointError)?

    /// The number of the next piece of work; `nil` when there is none, or one has failed.
    mutating func take() -> Int? {
      guard next < results.count, failure == nil else { return nil }
      defer { next += 1 }
      return next
    }
  }

  /// Reads all elements, on several threads, and returns the units with their statistics.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  func measure(
    _ budget: CopyBudget, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> [(MeasurementUnit, StatisticsResult)] {
    let pieces = pieces
    let total = reduce(0) { $0 + $1.byteCount }
    let state = Locked(
      State(
        results: Array<[StatisticsResult]>(repeating: [], count: pieces.count),
        done: Array<Int>(repeating: 0, count: pieces.count)))
    Syscalls.concurrently(Swift.min(budget.threadCount, pieces.count)) {
      while let number = state.withLock({ $0.take() }) {
        do throws(CheckpointError) {
          var plan = StatisticsPlan()
          for unit in pieces[number] { try unit.add(to: &plan, budget.ofOneThread) }
          let results = try plan.run(budget.ofOneThread) { done, _ in
            state.withLock { state in
              state.done[number] = done
              progress(Swift.min(state.done.reduce(0, +), total), total)
            }
          }
          state.withLock { $0.results[number] = results }
        } catch {
          state.withLock { state in
            if let failure = state.failure, failure.piece < number { return }
            state.failure = (number, error)
          }
        }
      }
    }
    let finished = state.withLock { $0 }
    if let failure = finished.failure { throw failure.error }
    return zip(pieces, finished.results).flatMap { zip($0, $1).map { ($0, $1) } }
  }

  /// The units in pieces of work: large ones alone and the largest first, then small ones together.
  private var pieces: [[MeasurementUnit]] {
    let large = filter { $0.byteCount >= Self.pieceByteCount }
    var pieces = large.sorted { $0.byteCount > $1.byteCount }.map { [$0] }
    var small: [MeasurementUnit] = []
    var byteCount = 0
    for unit in self where unit.byteCount < Self.pieceByteCount {
      small.append(unit)
      byteCount += unit.byteCount
      guard byteCount >= Self.pieceByteCount else { continue }
      pieces.append(small)
      small = []
      byteCount = 0
    }
    return small.isEmpty ? pieces : pieces + [small]
  }
}
