internal import CkptBase
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors

/// What differs between two checkpoints, by name and in numbers.
public struct CheckpointDiff: Sendable {
  /// A tensor that both checkpoints have under one name, or that certainly has another one now.
  public struct TensorRow: Sendable {
    /// The name in the first checkpoint.
    public var name: String
    /// The element type in the first checkpoint.
    public var firstType: String
    /// The element type in the second checkpoint.
    public var secondType: String
    /// The number of elements along each dimension, in both.
    public var shape: [Int]
    /// How the elements differ; `nil` where their types cannot be compared as numbers.
    public var elements: ElementDifferences?

    /// How many elements there are.
    public var elementCount: Int { shape.reduce(1, *) }
  }

  /// A tensor that has another name in the second checkpoint.
  public struct Renaming: Hashable, Sendable {
    /// The name in the first checkpoint.
    public var first: String
    /// The name in the second checkpoint.
    public var second: String
  }

  /// The first file.
  public var first: String
  /// The second file.
  public var second: String
  /// The tensors whose elements or element types differ, those with the largest difference first.
  public var tensors: [TensorRow] = []
  /// Tensors that are there under other names: no other tensor has their elements, on either side.
  public var renamed: [Renaming] = []
  /// What only one of the checkpoints has.
  public var unpaired: [Difference] = []
  /// What else differs: shapes, and values that are not tensors.
  public var others: [Difference] = []
  /// How many tensors were compared by their elements; of tied ones, one.
  public var comparedCount = 0
  /// What the user should know of the files.
  public var warnings: [String] = []

  /// Whether nothing differs.
  public var isEmpty: Bool {
    tensors.isEmpty && renamed.isEmpty && unpaired.isEmpty && others.isEmpty
  }

  /// Compares two checkpoints.
  ///
  /// - Parameters:
  ///   - first: a file, or the index or folder of a checkpoint in several files.
  ///   - second: the same for the other checkpoint.
  ///   - budget: what it may use of the machine.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public init(
    of first: String, and second: String, budget: CopyBudget = CopyBudget(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    let (left, right) = (try CheckpointFile.read(first), try CheckpointFile.read(second))
    self.first = first
    self.second = second
    warnings = left.warnings.map { "\(first): \($0)" } + right.warnings.map { "\(second): \($0)" }
    let graphs = try GraphComparison(
      left.flatSide, right.flatSide, limit: .max, pairingTypes: true)
    for difference in graphs.differences.first {
      switch difference.kind {
      case .missing, .extra: unpaired.append(difference)
      // The rows of tensors tell.
      case .dtype where difference.second != nil && Self.areComparable(difference): break
      default: others.append(difference)
      }
    }
    let pairs = graphs.tensorPairs
    comparedCount = pairs.count
    let found = try TensorDiff(left, right, pairs: pairs, budget: budget).run(progress)
    for (pair, elements) in zip(pairs, found) {
      let (one, other) = (left.graph[pair.first], right.graph[pair.second])
      guard one.dtype != other.dtype || !elements.isEmpty else { continue }
      tensors.append(
        TensorRow(
          name: pair.name, firstType: one.dtype.name, secondType: other.dtype.name,
          shape: one.shape, elements: elements))
    }
    tensors.sort { Self.precedes($0, $1) }
    try findRenamed(left, right, budget: budget)
  }

  private static func areComparable(_ difference: Difference) -> Bool {
    guard let first = difference.first.flatMap(DType.init(rawValue:)),
      let second = difference.second.flatMap(DType.init(rawValue:))
    else { return false }
    return ElementComparingOutput.areComparable(first, second)
  }

  /// The larger difference first; NaNs on one side come before all numbers.
  private static func precedes(_ left: TensorRow, _ right: TensorRow) -> Bool {
    func rank(_ row: TensorRow) -> (Int, Double, Int) {
      guard let elements = row.elements else { return (0, 0, 0) }
      return (elements.nanCount > 0 ? 1 : 0, elements.absolute?.value ?? 0, elements.count)
    }
    let (one, other) = (rank(left), rank(right))
    if one != other { return one > other }
    return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
  }

  // MARK: Renamed tensors

  /// Pairs tensors that only one side has under their name by the digest of their elements, where no
  /// other such tensor has the same.
  private mutating func findRenamed(
    _ left: Checkpoint, _ right: Checkpoint, budget: CopyBudget
  ) throws(CheckpointError) {
    let missing = Set(unpaired.filter { $0.kind == .missing }.map { ExactString($0.place) })
    let extra = Set(unpaired.filter { $0.kind == .extra }.map { ExactString($0.place) })
    guard !missing.isEmpty, !extra.isEmpty else { return }
    var lefts = try Self.tensors(of: left, named: missing)
    var rights = try Self.tensors(of: right, named: extra)
    // Only what has its match in type and shape is read.
    let forms = Set(lefts.map { Form(left.graph[$0.id]) })
      .intersection(rights.map { Form(right.graph[$0.id]) })
    lefts.removeAll { !forms.contains(Form(left.graph[$0.id])) }
    rights.removeAll { !forms.contains(Form(right.graph[$0.id])) }
    guard !lefts.isEmpty, !rights.isEmpty else { return }
    let firsts = try Self.names(of: lefts, in: left, budget: budget)
    let seconds = try Self.names(of: rights, in: right, budget: budget)
    for (key, names) in firsts {
      guard names.count == 1, let others = seconds[key], others.count == 1 else { continue }
      renamed.append(Renaming(first: names[0], second: others[0]))
    }
    renamed.sort { $0.first.utf8.lexicographicallyPrecedes($1.first.utf8) }
    let known = Set(renamed.flatMap { [ExactString($0.first), ExactString($0.second)] })
    unpaired.removeAll { known.contains(ExactString($0.place)) }
  }

  private struct Form: Hashable {
    var dtype: DType
    var shape: [Int]

    init(_ tensor: Tensor) {
      dtype = tensor.dtype
      shape = tensor.shape
    }
  }

  private struct Content: Hashable {
    var form: Form
    var digest: [UInt8]
  }

  private static func tensors(
    of checkpoint: Checkpoint, named names: Set<ExactString>
  ) throws(CheckpointError) -> [(name: String, id: TensorID)] {
    var tensors: [(name: String, id: TensorID)] = []
    for leaf in try NamedLeaf.all(of: checkpoint.graph) where names.contains(ExactString(leaf.name))
    {
      guard case .tensor(let id) = checkpoint.graph[leaf.node] else { continue }
      tensors.append((leaf.name, id))
    }
    return tensors
  }

  private static func names(
    of tensors: [(name: String, id: TensorID)], in checkpoint: Checkpoint, budget: CopyBudget
  ) throws(CheckpointError) -> [Content: [String]] {
    let digests = try TensorDigests.compute(of: tensors, in: checkpoint, budget: budget) { _, _ in
    }
    var names: [Content: [String]] = [:]
    for (name, id) in tensors {
      guard let digest = digests[id] else { continue }
      let content = Content(form: Form(checkpoint.graph[id]), digest: digest.bytes)
      names[content, default: []].append(name)
    }
    return names
  }
}

extension Checkpoint {
  /// The contents as one side of a comparison by names.
  fileprivate var flatSide: GraphComparison.Side {
    if case .names(let metadata) = side.structure {
      return .init(graph, .names(metadata: metadata))
    }
    return .init(graph, .names(metadata: []))
  }
}

/// Compares the elements of tensors as numbers.
///
/// The elements of one side are read as for a conversion; those of the other are taken from where
/// they lie packed, or are packed into a temporary file first, a batch of tensors at a time.
struct TensorDiff {
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
  func run(_ progress: @escaping CopyEngine.Progress) throws(CheckpointError)
    -> [ElementDifferences]
  {
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
  ) throws(CheckpointError) -> [Item] {
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
  ) throws(CheckpointError) {
    var plan = FilePlan()
    for item in items { for segment in item.segments { plan.append(segment) } }
    let output = try ElementComparingOutput(
      expecting: items.map { item in
        ElementComparingOutput.Run(
          arriving: item.arriving,
          elementCount: item.place.byteCount / item.expected.byteCount, expected: item.expected,
          region: item.place)
      })
    try CopyEngine(budget, progress: progress).run(plan, into: output)
    for (item, differences) in zip(items, output.differences) { found[item.pair] = differences }
  }
}
