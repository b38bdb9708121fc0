internal import Bytes
internal import Comparison
internal import Graph
internal import Plan

/// Compares the elements of tensors as numbers.
///
/// The elements of one side are read as for a conversion; those of the other are taken from where
/// they lie packed, or are packed into a temporary file first, a batch of tensors at a time.
struct TensorDifferences {
  /// How much is packed into a temporary file at once, unless one tensor is larger, in bytes.
  private static let temporaryByteCount = 64 << 20

  /// One tensor of a batch, with the side that is read as the first one.
  private struct Item {
    var pair: Int
    var arriving: DType
    var expected: DType
    var segments: [Segment]
    var place: FileRegion
  }

  private let first: Checkpoint
  private let second: Checkpoint
  private let pairs: [TensorPair]
  private let budget: CopyBudget

  /// A comparison of `pairs`, tensors of the same shapes and of types that can be compared.
  init(_ first: Checkpoint, _ second: Checkpoint, pairs: [TensorPair], budget: CopyBudget) {
    self.first = first
    self.second = second
    self.pairs = pairs
    self.budget = budget
  }

  /// How the elements of each pair differ.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws; `limitExceeded` for tensors that repeat few
  ///   elements without end.
  func run(_ progress: @escaping CopyEngine.Progress) throws(FormatError) -> [ElementDifferences] {
    var found = [ElementDifferences](repeating: ElementDifferences(), count: pairs.count)
    var placed: [Item] = []
    var batch: [(pair: Int, left: [Segment], right: [Segment])] = []
    var batchByteCount = 0
    for (index, pair) in pairs.enumerated() {
      let (left, right) = (first.graph[pair.first], second.graph[pair.second])
      let sides = (left.segments(from: first.graph), right.segments(from: second.graph))
      guard !sides.0.isEmpty, !sides.1.isEmpty else { continue }
      try Tensor.requireFiniteWork(pair.name, sides.0 + sides.1)
      if let place = sides.1.place {
        placed.append(item(index, sides.0, place))
      } else if let place = sides.0.place {
        placed.append(item(index, sides.1, place, isSwapped: true))
      } else {
        if batchByteCount > 0, batchByteCount + right.byteCount > Self.temporaryByteCount {
          try compare(try packed(batch), &found) { _, _ in }
          (batch, batchByteCount) = ([], 0)
        }
        batch.append((index, sides.0, sides.1))
        batchByteCount += right.byteCount
      }
    }
    if !batch.isEmpty { try compare(try packed(batch), &found) { _, _ in } }
    try compare(placed, &found, progress)
    return found
  }

  private func item(
    _ pair: Int, _ segments: [Segment], _ place: FileRegion, isSwapped: Bool = false
  ) -> Item {
    let types = (first.graph[pairs[pair].first].dtype, second.graph[pairs[pair].second].dtype)
    return Item(
      pair: pair, arriving: isSwapped ? types.1 : types.0,
      expected: isSwapped ? types.0 : types.1, segments: segments, place: place)
  }

  /// The tensors of a batch with one side of each in a temporary file.
  private func packed(
    _ batch: [(pair: Int, left: [Segment], right: [Segment])]
  ) throws(FormatError) -> [Item] {
    var plan = FilePlan()
    var ends: [Int] = []
    for tensor in batch {
      for segment in tensor.right { plan.append(segment) }
      ends.append(plan.byteCount)
    }
    let places = try TemporaryOutput.regions(of: plan, endingAt: ends, budget: budget)
    return zip(batch, places).map { item($0.pair, $0.left, $1) }
  }

  private func compare(
    _ items: [Item], _ found: inout [ElementDifferences],
    _ progress: @escaping CopyEngine.Progress
  ) throws(FormatError) {
    var plan = FilePlan()
    for item in items { for segment in item.segments { plan.append(segment) } }
    let output = try DifferencingOutput(
      expecting: items.map { item in
        DifferencingOutput.Run(
          arriving: item.arriving,
          elementCount: item.place.byteCount / item.expected.byteCount, expected: item.expected,
          region: item.place)
      })
    try CopyEngine(budget, progress: progress).run(plan, into: output)
    for (item, differences) in zip(items, output.differences) { found[item.pair] = differences }
  }
}
