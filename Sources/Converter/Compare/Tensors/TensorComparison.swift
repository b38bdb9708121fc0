internal import CkptBase
internal import CkptCopy
package import CkptFormats
package import CkptGraph
internal import CkptPlan

/// A kernel for comparing tensors.
protocol TensorKernel: ComparisonKernel {
  /// Whether the order and the repetition of elements make no difference.
  static var ignoresOrder: Bool { get }
  /// Creates a kernel for elements of these types.
  init(arriving: DType, expected: DType)
}

extension ByteComparison: TensorKernel {
  static var ignoresOrder: Bool { true }
  init(arriving: DType, expected: DType) { self.init() }
}

extension ElementComparison: TensorKernel {
  // Differences are counted, and the first of equal maxima is reported.
  static var ignoresOrder: Bool { false }
}

/// Compares the elements of pairs of tensors of the same shape.
///
/// The elements of one side are read as in a conversion, on several threads and with checksums, and
/// compared with the region where the other side has them packed. If neither side has them packed,
/// but both have the same order, they are compared in that order. Otherwise one side is packed into
/// a temporary file, one part at a time.
struct TensorComparison<Kernel: TensorKernel> {
  /// A pair of tensors that differs.
  struct Finding {
    /// The number of the pair.
    let pair: Int
    /// The differences between its elements.
    fileprivate(set) var found = Kernel.Findings()
    fileprivate let run: TensorRun

    /// Returns the indices of an element by its number in the comparison.
    func indices(ofElement number: Int) -> [Int] {
      run.view.indices(ofElement: number, inStorageOrder: run.isInStorageOrder)
    }
  }

  private let first: Checkpoint
  private let second: Checkpoint
  private let pairs: [TensorPair]
  private let budget: CopyBudget
  /// The runs that are compared in place.
  private var placed = Batch()
  /// The tensors that neither side has packed, in parts.
  private var strided: [(run: TensorRun, first: [Segment], second: [Segment])] = []
  private var findings: [Int: Finding] = [:]

  /// Runs of elements that are compared in one run of the engine.
  private struct Batch {
    var plan = FilePlan()
    var runs: [TensorRun] = []
    var places: [FileRegion] = []

    mutating func add(_ run: TensorRun, _ segments: [Segment], _ place: FileRegion) {
      for segment in segments { plan.append(segment) }
      runs.append(run)
      places.append(place)
    }
  }

  /// Creates a comparison of `pairs`, tensors of the two checkpoints.
  init(_ first: Checkpoint, _ second: Checkpoint, pairs: [TensorPair], budget: CopyBudget) {
    self.first = first
    self.second = second
    self.pairs = pairs
    self.budget = budget
  }

  /// Returns the pairs that differ, in order.
  ///
  /// `inspecting` verifies all checksums of both files, including data that is not compared.
  ///
  /// - Throws: the errors of ``CopyEngine/run(_:into:)``; `limitExceeded` for a tensor that repeats
  ///   few elements too often.
  mutating func run(
    inspecting: Bool, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> [Finding] {
    for index in pairs.indices { try arrange(index) }
    if inspecting {
      for region in first.dataRegions + second.dataRegions { placed.plan.inspect(region) }
    }
    let rest = strided.reduce(0) { $0 + $1.first.byteCount }
    let placedByteCount = Locked(0)
    try compare(placed) { done, total in
      placedByteCount.withLock { $0 = total }
      progress(done, total + rest)
    }
    try compareStrided(after: placedByteCount.withLock(\.self), of: rest, progress)
    return findings.values.sorted { $0.pair < $1.pair }
  }

  // MARK: Arranging

  private mutating func arrange(_ index: Int) throws(CheckpointError) {
    var left = first.graph[pairs[index].first]
    var right = second.graph[pairs[index].second]
    if Kernel.ignoresOrder { Tensor.dropCommonRepetitions(&left, &right) }
    let sides = (left.segments(from: first.graph), right.segments(from: second.graph))
    guard !sides.0.isEmpty, !sides.1.isEmpty else { return }
    var run = TensorRun(pair: index, view: left)
    switch (sides.0.place, sides.1.place) {
    // A side with a checksum is read, so that the checksum is verified.
    case (let place?, let other) where other == nil || other?.crc32 != nil && place.crc32 == nil:
      run.readsSecond = true
      placed.add(run, sides.1, place)
    case (_, let place?): placed.add(run, sides.0, place)
    default:
      if Kernel.ignoresOrder, let (segment, place) = Self.sameOrder(sides.0, sides.1, left) {
        run.isInStorageOrder = true
        placed.add(run, [segment], place)
      } else {
        try split(run, sides.0, sides.1)
      }
    }
  }

  /// Returns the bytes of tensors that fill their range of a storage, in storage order.
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

  /// Adds a pair that is packed for the comparison, if it can be split into small parts.
  private mutating func split(
    _ run: TensorRun, _ left: [Segment], _ right: [Segment]
  ) throws(CheckpointError) {
    try Tensor.requireFiniteWork(pairs[run.pair].name, left + right)
    // A checksum covers a whole region, so it is verified once, not with each part.
    for region in (left + right).flatMap(\.regions) { placed.plan.inspect(region) }
    let (left, right) = (left.map(\.unchecked), right.map(\.unchecked))
    guard left.count == 1, right.count == 1, case .gather(_, let elements) = left[0],
      case .gather(_, let others) = right[0], elements.shape == others.shape
    else { return strided.append((run, left, right)) }
    let limit =
      TensorRun.temporaryByteCount / max(elements.elementByteCount, others.elementByteCount)
    var run = run
    for (left, right) in zip(left[0].parts(ofAtMost: limit), right[0].parts(ofAtMost: limit)) {
      strided.append((run, [left], [right]))
      run.start += left.byteCount / elements.elementByteCount
    }
  }

  // MARK: Comparing

  private mutating func compare(
    _ batch: Batch, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    let output = try ComparingOutput(
      expecting: zip(batch.runs, batch.places).map { run, place in
        ComparingOutput<Kernel>.Run(place, by: kernel(of: run))
      })
    try CopyEngine(budget, progress: progress).run(batch.plan, into: output)
    for difference in output.differences {
      let run = batch.runs[difference.run]
      // Parts are read from the first side. A kernel counts elements or their bytes.
      let offset = run.start * run.view.dtype.byteCount / kernel(of: run).arrivingByteCount
      findings[run.pair, default: Finding(pair: run.pair, run: run)].found
        .merge(difference.found, shiftedBy: offset)
    }
  }

  private func kernel(of run: TensorRun) -> Kernel {
    let types = (
      first.graph[pairs[run.pair].first].dtype, second.graph[pairs[run.pair].second].dtype
    )
    return run.readsSecond
      ? Kernel(arriving: types.1, expected: types.0) : Kernel(arriving: types.0, expected: types.1)
  }

  private mutating func compareStrided(
    after placed: Int, of total: Int, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    var rest = strided[...]
    var done = 0
    while !rest.isEmpty {
      var packed = FilePlan()
      var ends = [0]
      var next: [(run: TensorRun, first: [Segment], second: [Segment])] = []
      while let part = rest.first,
        next.isEmpty || packed.byteCount + part.second.byteCount <= TensorRun.temporaryByteCount
      {
        rest.removeFirst()
        for segment in part.second { packed.append(segment) }
        ends.append(packed.byteCount)
        next.append(part)
      }
      let file = try TemporaryOutput.holding(packed, budget: budget)
      var batch = Batch()
      for (part, range) in zip(next, zip(ends, ends.dropFirst())) {
        let place = FileRegion(source: file, range: range.0..<range.1, name: "temporary file")
        batch.add(part.run, part.first, place)
      }
      try compare(batch) { [done] count, _ in progress(placed + done + count, placed + total) }
      done += batch.plan.byteCount
    }
  }
}

/// A run of elements of a pair of tensors that is compared at once.
struct TensorRun {
  /// The maximum size of a temporary file in bytes, unless a tensor cannot be split.
  static let temporaryByteCount = 64 << 20

  /// The number of the pair.
  var pair: Int
  /// The part of the tensor that is compared.
  var view: Tensor
  /// The number of elements before the run.
  var start = 0
  /// Whether the elements are in storage order, not in row-major order.
  var isInStorageOrder = false
  /// Whether the second side is read and compared with the first.
  var readsSecond = false
}

extension [Segment] {
  /// The size of the segments in bytes.
  fileprivate var byteCount: Int { reduce(0) { $0 + $1.byteCount } }
}

extension Checkpoint {
  /// The regions of all data in the file, including unused data.
  package var dataRegions: [FileRegion] { graph.storages.compactMap(\.region) + unusedRegions }
}
