public import CkptBase
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors

extension VerifyFinding {
  /// Compares a file with its part of a manifest.
  ///
  /// - Parameters:
  ///   - pair: one of the pairs of a ``ManifestPairing``.
  ///   - reading: the options for reading.
  ///   - budget: the threads and memory that it may use.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public init(
    of pair: ManifestPairing.Pair, _ reading: ReadingOptions = ReadingOptions(),
    budget: CopyBudget = CopyBudget(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    switch pair.part.content {
    case .bytes(let byteCount, let digest):
      try self.init(bytesOf: pair, byteCount, digest)
    case .checkpoint(let structure, let entries):
      let checkpoint = try CheckpointFile.read(pair.path, reading)
      var comparison = try ManifestComparison(checkpoint)
      try comparison.compare(entries, structure: structure, budget: budget, progress: progress)
      let isWhole = structure != nil && checkpoint.tellsStructure
      self.init(first: pair.manifest, second: pair.path, scope: isWhole ? .objects : .names)
      for entry in entries {
        if case .tensor = entry.kind { tensorCount += 1 } else { valueCount += 1 }
      }
      byteCount = comparison.byteCount
      add(comparison.differences)
      notCompared = comparison.notCompared
      warnings = checkpoint.warnings(ofFile: pair.path)
    }
  }

  private init(
    bytesOf pair: ManifestPairing.Pair, _ byteCount: Int, _ digest: SHA256.Digest
  ) throws(CheckpointError) {
    self.init(first: pair.manifest, second: pair.path, scope: .bytes)
    self.byteCount = byteCount
    let found = try Manifest.File(bytesOf: pair.path, named: pair.part.name)
    guard case .bytes(let foundByteCount, let foundDigest) = found.content else { return }
    if foundByteCount != byteCount {
      add(.length, at: pair.part.name, "\(byteCount) bytes", "\(foundByteCount) bytes")
    } else if foundDigest != digest {
      add(.bytes, at: pair.part.name, digest.brief, foundDigest.brief)
    }
  }
}

/// A comparison of a checkpoint with its part of a manifest.
struct ManifestComparison {
  private let checkpoint: Checkpoint
  private let leaves: NamedLeaves
  private var values: ValueDigests
  /// The differences.
  private(set) var differences = DifferenceList()
  /// The total size of the tensors that were hashed.
  private(set) var byteCount = 0
  /// The parts that were not compared, in words.
  private(set) var notCompared: [String] = []

  /// Creates a comparison with `checkpoint`.
  ///
  /// - Throws: `limitExceeded` if shared containers multiply beyond ``Limits``.
  init(_ checkpoint: Checkpoint) throws(CheckpointError) {
    self.checkpoint = checkpoint
    values = ValueDigests(of: checkpoint.graph)
    leaves = try NamedLeaves(checkpoint.side)
  }

  /// Compares all entries of a manifest.
  ///
  /// - Throws: `checksumMismatch` if the checkpoint is damaged, and the errors of reading it.
  mutating func compare(
    _ entries: [Manifest.Entry], structure: SHA256.Digest?, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
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

  /// Compares an entry except for tensor bytes.
  ///
  /// Returns the tensor if its bytes are needed.
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

  /// Compares the structure beyond names, values and tensors, if both sides have it.
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
    notCompared = [
      "which objects are shared", "unused bytes inside storages (no tensor refers to them)",
    ]
    guard found != expected, differences.isEmpty else { return }
    if let (index, position) = zip(order.indices, order).first(where: { $0 != $1 }) {
      differences.add(
        Difference(
          .order, at: leaves.all[position].name, first: "at place \(index)",
          second: "at place \(position)"))
    } else {
      differences.add(
        Difference(
          .type, at: "structure", first: expected.brief, second: found.brief))
    }
  }

  private mutating func compareBytes(
    of tensors: [(entry: Manifest.Entry, id: TensorID)], budget: CopyBudget,
    _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
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
          .bytes, at: entry.name, first: entry.digest.map(\.brief) ?? "no data",
          second: found.digest.map(\.brief) ?? "no data"))
    }
  }
}

extension SHA256.Digest {
  /// The beginning of the digest, for messages.
  fileprivate var brief: String { "sha256 \(description.prefix(16))..." }
}

extension Node {
  /// Whether it is a tensor.
  fileprivate var isTensor: Bool {
    if case .tensor = self { true } else { false }
  }
}

extension Manifest.Entry {
  /// The description of the entry.
  var text: String {
    switch kind {
    case .tensor(let dtype, let shape, _): "tensor(\(dtype), \(shape))"
    case .value(let text): text
    }
  }
}
