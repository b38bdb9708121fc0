internal import CkptBase
internal import CkptCopy
internal import CkptGraph
internal import CkptPlan

/// Compares the bytes of tensors that agree in everything else.
///
/// The elements of one side are read as for a conversion, on several threads and with checksums
/// verified on the way, and compared with the place where those of the other side lie packed. Where
/// they lie packed on neither side, but in the same order on both, they are compared in that order;
/// else those of one side are packed into a temporary file, a part at a time.
struct TensorVerification {
  /// Where a pair of tensors differs.
  struct Finding {
    /// The number of the pair.
    let pair: Int
    /// The indices of the first element that differs, in the order of the comparison.
    fileprivate(set) var indices: [Int]
    /// The number of bytes that differ.
    fileprivate(set) var byteCount: Int
  }

  /// A run of bytes that is compared in one piece.
  private struct Run {
    var pair: Int
    /// The tensor as far as it is compared.
    var view: Tensor
    /// Where the run begins, in bytes from the first one compared.
    var start = 0
    /// Whether the elements come in the order of the storage and not of their indices.
    var isInStorageOrder = false
  }

  /// The most bytes that a temporary file takes.
  private static let temporaryByteCount = 64 << 20

  private let first: Checkpoint
  private let second: Checkpoint
  private let pairs: [TensorPair]
  private let budget: CopyBudget
  private var plan = FilePlan()
  private var runs: [Run] = []
  private var expected: [FileRegion] = []
  /// What lies packed on neither side, in parts.
  private var strided: [(run: Run, first: [Segment], second: [Segment])] = []
  private var findings: [Int: Finding] = [:]

  /// A comparison of `pairs`, tensors of the two checkpoints.
  init(_ first: Checkpoint, _ second: Checkpoint, pairs: [TensorPair], budget: CopyBudget) {
    self.first = first
    self.second = second
    self.pairs = pairs
    self.budget = budget
  }

  /// The pairs that differ, in their order.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws; `limitExceeded` for tensors that repeat few
  ///   elements without end.
  mutating func run(_ progress: @escaping CopyEngine.Progress) throws(CheckpointError) -> [Finding]
  {
    for index in pairs.indices { try arrange(index) }
    for checkpoint in [first, second] {
      for region in checkpoint.graph.storages.compactMap(\.region) { plan.inspect(region) }
      for region in checkpoint.unusedRegions { plan.inspect(region) }
    }
    try compare(progress)
    try compareStrided()
    return findings.values.sorted { $0.pair < $1.pair }
  }

  // MARK: Arranging

  private mutating func arrange(_ index: Int) throws(CheckpointError) {
    var left = first.graph[pairs[index].first]
    var right = second.graph[pairs[index].second]
    Tensor.dropCommonRepetitions(&left, &right)
    let (leftBytes, rightBytes) = (
      left.segments(from: first.graph), right.segments(from: second.graph)
    )
    guard !leftBytes.isEmpty, !rightBytes.isEmpty else { return }
    let run = Run(pair: index, view: left)
    switch (leftBytes.place, rightBytes.place) {
    // A side with a checksum is read, so that it is checked on the way.
    case (let place?, let other?) where other.crc32 != nil && place.crc32 == nil:
      add(run, rightBytes, place)
    case (_, let place?): add(run, leftBytes, place)
    case (let place?, nil): add(run, rightBytes, place)
    case (nil, nil):
      if let (segment, place) = Self.sameOrder(leftBytes, rightBytes, left) {
        var run = run
        run.isInStorageOrder = true
        add(run, [segment], place)
      } else {
        try split(run, leftBytes, rightBytes)
      }
    }
  }

  private mutating func add(_ run: Run, _ segments: [Segment], _ place: FileRegion) {
    for segment in segments { plan.append(segment) }
    runs.append(run)
    expected.append(place)
  }

  /// The bytes of tensors that fill their stretch of a storage, in the storage's order.
  private static func sameOrder(
    _ left: [Segment], _ right: [Segment], _ view: Tensor
  ) -> (Segment, FileRegion)? {
    guard view.isDense, left.count == 1, right.count == 1,
      case .gather(let region, let elements) = left[0],
      case .gather(let other, var others) = right[0], region.encoding == .stored,
      other.encoding == .stored
    else { return nil }
    let offset = others.byteOffset
    others.byteOffset = elements.byteOffset
    guard elements == others else { return nil }
    let range = elements.byteOffset..<elements.byteOffset + elements.byteCount
    return (.copy(region, range: range), other.part(offset..<offset + elements.byteCount))
  }

  private mutating func split(
    _ run: Run, _ left: [Segment], _ right: [Segment]
  ) throws(CheckpointError) {
    try Tensor.requireFiniteWork(pairs[run.pair].name, left + right)
    let (left, right) = (left.map(\.unchecked), right.map(\.unchecked))
    guard left.count == 1, right.count == 1, case .gather = left[0], case .gather = right[0] else {
      return strided.append((run, left, right))
    }
    let limit = Self.temporaryByteCount
    var run = run
    for (left, right) in zip(left[0].parts(ofAtMost: limit), right[0].parts(ofAtMost: limit)) {
      strided.append((run, [left], [right]))
      run.start += left.byteCount
    }
  }

  // MARK: Comparing

  private mutating func compare(_ progress: @escaping CopyEngine.Progress) throws(CheckpointError) {
    let output = try ComparingOutput(expecting: expected)
    try CopyEngine(budget, progress: progress).run(plan, into: output)
    for difference in output.differences { note(difference, in: runs[difference.run]) }
  }

  private mutating func compareStrided() throws(CheckpointError) {
    var rest = strided[...]
    while !rest.isEmpty {
      var (packed, plan) = (FilePlan(), FilePlan())
      var runs: [Run] = []
      var ends: [Int] = []
      while let next = rest.first,
        packed.byteCount == 0
          || packed.byteCount + next.second.reduce(0, { $0 + $1.byteCount })
            <= Self.temporaryByteCount
      {
        rest.removeFirst()
        for segment in next.second { packed.append(segment) }
        for segment in next.first { plan.append(segment) }
        runs.append(next.run)
        ends.append(packed.byteCount)
      }
      let expected = try TemporaryOutput.regions(of: packed, endingAt: ends, budget: budget)
      let output = try ComparingOutput(expecting: expected)
      try CopyEngine(budget).run(plan, into: output)
      for difference in output.differences { note(difference, in: runs[difference.run]) }
    }
  }

  private mutating func note(_ difference: ComparingOutput.Difference, in run: Run) {
    let number = (run.start + difference.offset) / run.view.dtype.byteCount
    let indices = run.view.indices(ofElement: number, inStorageOrder: run.isInStorageOrder)
    // Parts of one tensor come in their order, so the first finding stays.
    findings[run.pair, default: Finding(pair: run.pair, indices: indices, byteCount: 0)]
      .byteCount += difference.byteCount
  }
}
