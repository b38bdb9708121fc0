internal import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptSafetensors

/// The differences of two files, by name and as numbers.
///
/// The formats do not matter.
public struct DiffFinding: Sendable {
  /// A tensor that both checkpoints have, under one name or renamed.
  public struct TensorRow: Sendable {
    /// The name in the first checkpoint.
    public var name: String
    /// The dtype in the first checkpoint.
    public var firstType: String
    /// The dtype in the second checkpoint.
    public var secondType: String
    /// The number of elements along each dimension, in both.
    public var shape: [Int]
    /// The differences between the elements; `nil` if their types cannot be compared as numbers.
    public var elements: ElementDifferences?

    /// The number of elements.
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
  /// The tensors whose elements or dtypes differ, the largest difference first.
  public var tensors: [TensorRow] = []
  /// The renamed tensors.
  ///
  /// No other tensor has the same elements, on either side.
  public var renamed: [Renaming] = []
  /// The names that only one of the checkpoints has.
  public var unpaired: [Difference] = []
  /// The other differences: shapes, and values that are not tensors.
  public var others: [Difference] = []
  /// The number of tensors whose elements were compared; tied tensors count once.
  public var comparedCount = 0
  /// Warnings for the user about the files.
  public var warnings: [String] = []

  /// Whether nothing differs.
  public var isEmpty: Bool {
    tensors.isEmpty && renamed.isEmpty && unpaired.isEmpty && others.isEmpty
  }

  /// Compares two files.
  ///
  /// - Parameters:
  ///   - pair: two checkpoints of a ``FilePairing``.
  ///   - reading: the options for reading.
  ///   - budget: the threads and memory that it may use.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public init(
    of pair: FilePairing.Pair, _ reading: ReadingOptions = ReadingOptions(),
    budget: CopyBudget = CopyBudget(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    let left = try CheckpointFile.read(pair.first, reading)
    let right = try CheckpointFile.read(pair.second, reading)
    (first, second) = (pair.first, pair.second)
    warnings = left.warnings(ofFile: first) + right.warnings(ofFile: second)
    let graphs = try GraphComparison(
      left.flatSide, right.flatSide, limit: .max, pairingTypes: true)
    for difference in graphs.differences.first {
      switch difference.kind {
      case .missing, .extra: unpaired.append(difference)
      // The rows of tensors show this difference.
      case .dtype where difference.second != nil && Self.areComparable(difference): break
      default: others.append(difference)
      }
    }
    let pairs = graphs.tensorPairs
    comparedCount = pairs.count
    var comparison = TensorComparison<ElementComparison>(left, right, pairs: pairs, budget: budget)
    var found = [ElementDifferences](repeating: ElementDifferences(), count: pairs.count)
    for finding in try comparison.run(inspecting: false, progress) {
      found[finding.pair] = finding.found
    }
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
    nameParameters(left.graph, right.graph)
  }

  /// Replaces the numbers of an optimizer's parameters by their names, if both sides have the same.
  private mutating func nameParameters(_ left: TensorGraph, _ right: TensorGraph) {
    let names = OptimizerState.names(in: left)
    guard !names.isEmpty, names == OptimizerState.names(in: right) else { return }
    func named(_ place: String) -> String {
      let parts = place.split(separator: ".", maxSplits: 2)
      guard parts.count == 3, parts[0] == OptimizerState.stateKey, let number = Int(parts[1]),
        let name = names[number]
      else { return place }
      return "\(parts[0]).\(name).\(parts[2])"
    }
    for index in tensors.indices { tensors[index].name = named(tensors[index].name) }
    for index in others.indices { others[index].place = named(others[index].place) }
  }

  private static func areComparable(_ difference: Difference) -> Bool {
    guard let first = difference.first.flatMap(DType.init(rawValue:)),
      let second = difference.second.flatMap(DType.init(rawValue:))
    else { return false }
    return ElementComparison.areComparable(first, second)
  }

  /// Whether `left` comes first: larger differences do, and NaNs on one side before all numbers.
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

  /// Pairs unpaired tensors of both sides by the digest of their elements, if no other unpaired
  /// tensor has the same.
  private mutating func findRenamed(
    _ left: Checkpoint, _ right: Checkpoint, budget: CopyBudget
  ) throws(CheckpointError) {
    let missing = Set(unpaired.filter { $0.kind == .missing }.map { ExactString($0.place) })
    let extra = Set(unpaired.filter { $0.kind == .extra }.map { ExactString($0.place) })
    guard !missing.isEmpty, !extra.isEmpty else { return }
    var lefts = try Self.tensors(of: left, named: missing)
    var rights = try Self.tensors(of: right, named: extra)
    // Only tensors with a match in dtype and shape are read.
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
  /// The contents as one side of a comparison by name.
  fileprivate var flatSide: GraphComparison.Side {
    if case .names(let metadata) = side.structure {
      return .init(graph, .names(metadata: metadata))
    }
    return .init(graph, .names(metadata: []))
  }
}
