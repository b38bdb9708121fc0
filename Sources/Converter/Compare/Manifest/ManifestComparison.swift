internal import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors

/// Whether a checkpoint is what a manifest says.
public struct ManifestVerification: Sendable {
  /// A file and what the manifest says of it.
  public struct Pair: Sendable {
    /// The file.
    public var path: String
    let file: Manifest.File
  }

  /// The files that are compared, those with tensors first.
  public private(set) var pairs: [Pair] = []
  /// What only the manifest or only the checkpoint has.
  public private(set) var differences: [Difference] = []
  /// What is not compared.
  public private(set) var notCompared: [String] = []
  private let manifestPath: String
  private let budget: CopyBudget

  /// Reads a manifest and finds the files that it describes.
  ///
  /// - Parameters:
  ///   - path: a file, the index of a checkpoint in several files, or a directory.
  ///   - manifestPath: the manifest.
  ///   - budget: what it may use of the machine.
  /// - Throws: `inputOutput` when a file is missing, `malformed` for a manifest that is none,
  ///   `unsupported` where nothing can be compared.
  public init(
    of path: String, against manifestPath: String, budget: CopyBudget = CopyBudget()
  ) throws(CheckpointError) {
    self.manifestPath = manifestPath
    self.budget = budget
    let members = try CheckpointMembers(of: path)
    let manifest = try Manifest(path: manifestPath)
    if members.isDirectory {
      try pairDirectory(members, manifest)
    } else {
      try pairFile(members.states[0], manifest)
    }
  }

  /// Compares a file with what the manifest says of it.
  ///
  /// - Parameters:
  ///   - pair: one of ``pairs``.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: what is the same and what differs.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public func compare(
    _ pair: Pair, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> VerifyFinding {
    switch pair.file.content {
    case .bytes(let byteCount, let digest):
      try compareBytes(of: pair, byteCount, digest)
    case .checkpoint(let structure, let entries):
      try compareCheckpoint(pair, structure, entries, progress)
    }
  }

  private func compareCheckpoint(
    _ pair: Pair, _ structure: SHA256.Digest?, _ entries: [Manifest.Entry],
    _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyFinding {
    let checkpoint = try CheckpointFile.read(pair.path)
    var comparison = try ManifestEntryVerification(checkpoint)
    try comparison.compare(entries, structure: structure, budget: budget, progress: progress)
    let isWhole = structure != nil && checkpoint.tellsStructure
    var finding = VerifyFinding(
      first: manifestPath, second: pair.path, scope: isWhole ? .objects : .names)
    for entry in entries {
      if case .tensor = entry.kind { finding.tensorCount += 1 } else { finding.valueCount += 1 }
    }
    finding.byteCount = comparison.byteCount
    finding.add(comparison.differences)
    finding.notCompared = comparison.notCompared
    finding.warnings = checkpoint.warnings(ofFile: pair.path)
    return finding
  }

  private func compareBytes(
    of pair: Pair, _ byteCount: Int, _ digest: SHA256.Digest
  ) throws(CheckpointError) -> VerifyFinding {
    var finding = VerifyFinding(first: manifestPath, second: pair.path, scope: .bytes)
    finding.byteCount = byteCount
    let found = try Manifest.File(bytesOf: pair.path, named: pair.file.name)
    guard case .bytes(let foundByteCount, let foundDigest) = found.content else { return finding }
    if foundByteCount != byteCount {
      finding.add(
        .length, at: pair.file.name, "\(byteCount) bytes", "\(foundByteCount) bytes")
    } else if foundDigest != digest {
      finding.add(
        .bytes, at: pair.file.name, "sha256 \(digest.description.prefix(16))...",
        "sha256 \(foundDigest.description.prefix(16))...")
    }
    return finding
  }

  // MARK: Pairs

  private mutating func pairFile(
    _ state: CheckpointMembers.State, _ manifest: Manifest
  ) throws(CheckpointError) {
    let checkpoints = manifest.files.filter(\.isCheckpoint)
    guard
      let file = checkpoints.count == 1
        ? checkpoints[0] : checkpoints.first(where: { $0.name == state.name })
    else {
      let names = manifest.files.map(\.name).joined(separator: ", ")
      throw CheckpointError(
        .unsupported,
        "'\(manifestPath)' is a manifest of \(names), and nothing in it is named "
          + "'\(state.name)'",
        remedy: "give the directory that the manifest was made of")
    }
    pairs = [Pair(path: state.path, file: file)]
    notCompared = manifest.files.filter { $0.name != file.name }.map { "'\($0.name)'" }
  }

  private mutating func pairDirectory(
    _ members: CheckpointMembers, _ manifest: Manifest
  ) throws(CheckpointError) {
    var isCovered: Set<String> = []
    let isOnly = members.states.count == 1 && manifest.files.filter(\.isCheckpoint).count == 1
    for file in manifest.files {
      let state = members.state(named: file.name) ?? (isOnly ? members.states.first : nil)
      if file.isCheckpoint, let state {
        isCovered.insert(state.name)
        pairs.append(Pair(path: state.path, file: file))
      } else if !file.isCheckpoint, members.files.contains(file.name) {
        isCovered.insert(file.name)
        pairs.append(Pair(path: members.path.appending(file.name).text, file: file))
      } else {
        differences.append(
          Difference(.missing, at: file.name, first: file.name, second: nil))
      }
    }
    for state in members.states where !isCovered.contains(state.name) {
      differences.append(
        Difference(.extra, at: state.name, first: nil, second: FilePath(state.path).name))
    }
    let others = members.files.filter { !isCovered.contains($0) } + members.passedOver
    notCompared = others.map { "'\(members.path.appending($0).text)'" }
  }
}

extension Manifest.File {
  /// Whether it is a part of the checkpoint and not another file.
  var isCheckpoint: Bool {
    if case .checkpoint = content { true } else { false }
  }
}

/// Compares a checkpoint with what a manifest says of it.
struct ManifestEntryVerification {
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
  init(_ checkpoint: Checkpoint) throws(CheckpointError) {
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
