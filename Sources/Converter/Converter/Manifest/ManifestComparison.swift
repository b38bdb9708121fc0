internal import Bytes
internal import Codecs
internal import Comparison
internal import Formats
internal import Graph
internal import Plan
internal import Safetensors

/// Compares a checkpoint with what a manifest says of it.
struct ManifestComparison {
  private let checkpoint: Checkpoint
  private let leaves: NamedLeaves
  private var values: ValueDigests
  /// What differs.
  private(set) var differences = DifferenceList()
  /// The size of the tensors whose bytes were hashed.
  private(set) var byteCount = 0
  /// What was not compared, in words.
  private(set) var notCompared: [String] = []

  /// A comparison with `checkpoint` that has not begun.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
  init(_ checkpoint: Checkpoint) throws(FormatError) {
    self.checkpoint = checkpoint
    values = ValueDigests(of: checkpoint.graph)
    leaves = try NamedLeaves(checkpoint.side)
  }

  /// Compares all entries of a manifest.
  ///
  /// - Throws: `checksumMismatch` when the checkpoint is damaged, and what reading it throws.
  mutating func compare(
    _ entries: [Manifest.Entry], structure: SHA256.Digest?, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(FormatError) {
    var isFound = [Bool](repeating: false, count: leaves.all.count)
    var order: [Int] = []
    var tensors: [(entry: Manifest.Entry, id: TensorID)] = []
    for entry in entries {
      guard let position = leaves.position(of: entry.name) else {
        differences.add(
          Difference(.missing, at: entry.name, first: entry.text, second: nil))
        continue
      }
      isFound[position] = true
      order.append(position)
      if let id = compare(entry, with: leaves.all[position]) { tensors.append((entry, id)) }
    }
    for (leaf, isFound) in zip(leaves.all, isFound) where !isFound {
      let text = checkpoint.graph.description(of: leaf.node, limit: 80)
      differences.add(Difference(.extra, at: leaf.name, first: nil, second: text))
    }
    compareStructure(structure, order)
    try compareBytes(of: tensors, budget: budget, progress)
  }

  /// Compares an entry but for the bytes of a tensor, whose name is returned if they are needed.
  private mutating func compare(_ entry: Manifest.Entry, with leaf: NamedLeaf) -> TensorID? {
    let graph = checkpoint.graph
    let text = graph.description(of: leaf.node, limit: 80)
    switch (entry.kind, graph[leaf.node]) {
    case (.tensor(let dtype, let shape, _), .tensor(let id)):
      let tensor = graph[id]
      let before = differences.count
      if dtype != tensor.dtype.name {
        differences.add(Difference(.dtype, at: entry.name, first: dtype, second: tensor.dtype.name))
      }
      if shape != tensor.shape {
        differences.add(
          Difference(.shape, at: entry.name, first: "\(shape)", second: "\(tensor.shape)"))
      }
      return differences.count == before ? id : nil
    case (.value(let expected), let node) where !node.isTensor:
      let digest = values.digest(of: leaf.node)
      if digest != entry.digest {
        differences.add(Difference(.value, at: entry.name, first: expected, second: text))
      }
    default:
      differences.add(Difference(.type, at: entry.name, first: entry.text, second: text))
    }
    return nil
  }

  /// Compares what is more than names, values and tensors, where both sides tell it.
  private mutating func compareStructure(_ expected: SHA256.Digest?, _ order: [Int]) {
    guard let expected, checkpoint.tellsStructure,
      let found = values.digest(of: checkpoint.graph.root)
    else {
      notCompared = [
        "the order of values, and the types of containers",
        "which storages are shared, strides, devices, requires_grad and lazy signs of tensors",
      ]
      return
    }
    notCompared = ["which objects are shared", "bytes of storages that belong to no tensor"]
    guard found != expected, differences.isEmpty else { return }
    if let (index, position) = zip(order.indices, order).first(where: { $0 != $1 }) {
      differences.add(
        Difference(
          .order, at: leaves.all[position].name, first: "at place \(index)",
          second: "at place \(position)"))
    } else {
      differences.add(
        Difference(
          .type, at: "structure", first: Self.brief(expected), second: Self.brief(found)))
    }
  }

  private mutating func compareBytes(
    of tensors: [(entry: Manifest.Entry, id: TensorID)], budget: CopyBudget,
    _ progress: @escaping CopyEngine.Progress
  ) throws(FormatError) {
    let graph = checkpoint.graph
    let digests = try TensorDigests.compute(
      of: tensors.map { ($0.entry.name, $0.id) }, in: checkpoint, budget: budget,
      progress: progress)
    for id in Set(tensors.map(\.id)) where graph[id].storage != nil {
      byteCount += graph[id].byteCount
    }
    for (entry, id) in tensors {
      let found = Manifest.Entry(name: entry.name, graph[id], of: graph, digest: digests[id])
      guard found.digest != entry.digest else { continue }
      differences.add(
        Difference(
          .bytes, at: entry.name, first: entry.digest.map(Self.brief) ?? "no data",
          second: found.digest.map(Self.brief) ?? "no data"))
    }
  }

  private static func brief(_ digest: SHA256.Digest) -> String {
    "sha256 \(digest.description.prefix(16))..."
  }
}

extension Node {
  /// Whether it is a tensor.
  fileprivate var isTensor: Bool {
    if case .tensor = self { true } else { false }
  }
}

extension Manifest.Entry {
  /// How a message names what a manifest describes.
  var text: String {
    switch kind {
    case .tensor(let dtype, let shape, _): "tensor(\(dtype), \(shape))"
    case .value(let text): text
    }
  }
}
