internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptTorch

/// Parts of one checkpoint that lie in directories or files of their own, put together.
///
/// The entries of all parts become those of one state dict. A part with an entry that another one
/// has already, such as a second model, becomes an entry with its own name.
struct DistributedParts {
  private var checkpoint: Checkpoint
  private var description: DistributedDescription
  private var entries: [(key: NodeID, value: NodeID)] = []
  private var keys: Set<ExactString> = []

  /// Creates a checkpoint without entries.
  init() {
    checkpoint = Checkpoint(graph: TensorGraph(), container: nil)
    description = DistributedDescription(
      fileCount: 0, tensorCount: 0, chunkCount: 0, isNested: true)
  }

  /// Adds the entries of a part called `name`.
  ///
  /// - Throws: `malformed` if the part is no dict, `limitExceeded` when the graph is full.
  mutating func add(_ part: Checkpoint, named name: String) throws(CheckpointError) {
    let remapping = try checkpoint.graph.appendNumbered(part.graph)
    let root = remapping(part.graph.root)
    guard let entries = checkpoint.graph.entries(of: root) else {
      throw CheckpointError(
        .malformed,
        "expected a dict, found \(part.graph.description(of: part.graph.root, limit: 60))")
    }
    let names = entries.map { checkpoint.graph.name($0.key).map { ExactString($0) } }
    if names.allSatisfy({ name in name.map { !keys.contains($0) } ?? false }) {
      self.entries += entries
      keys.formUnion(names.lazy.compactMap { $0 })
    } else {
      guard keys.insert(ExactString(name)).inserted else {
        throw CheckpointError(.malformed, "two parts have an entry '\(name)'")
      }
      self.entries.append((try checkpoint.graph.addString(name), root))
    }
    note(part)
  }

  private mutating func note(_ part: Checkpoint) {
    checkpoint.byteCount += part.byteCount
    checkpoint.warnings += part.warnings.filter { !checkpoint.warnings.contains($0) }
    guard let other = part.container as? DistributedDescription else {
      description.fileCount += 1
      return
    }
    description.fileCount += other.fileCount
    description.tensorCount += other.tensorCount
    description.chunkCount += other.chunkCount
    description.isNested = description.isNested && other.isNested
  }

  /// Returns the whole checkpoint.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  consuming func whole() throws(CheckpointError) -> Checkpoint {
    checkpoint.graph.root = try checkpoint.graph.addDict(entries)
    checkpoint.container = description
    return checkpoint
  }
}

/// The places of distributed checkpoints in the directories of the programs that write them.
package enum DistributedPlaces {
  /// The file that says what is stored where; without it a directory is an interrupted save.
  package static let metadata = ".metadata"
  /// The extension of the files with chunks.
  private static let chunks = ".distcp"
  /// The directory with the checkpoint in a step of OLMo and OLMo-core.
  package static let inner = "model_and_optim"
  /// The file in which Lightning saves everything that is not sharded
  /// (`lightning/pytorch/strategies/model_parallel.py`).
  static let lightning = "meta.pt"
  /// The directory of a model of accelerate and of the Trainer of transformers, without its number
  /// (`accelerate/utils/constants.py`: `FSDP_MODEL_NAME`).
  package static let model = "pytorch_model_fsdp_"
  /// The directory of an optimizer, without its number (`OPTIMIZER_NAME`).
  package static let optimizer = "optimizer_"

  /// Whether a file with this name is a part of a checkpoint in its directory.
  package static func isPart(_ name: String) -> Bool {
    name == metadata || name.hasSuffix(chunks)
  }

  /// Whether a directory with entries of these names holds a checkpoint, or the rest of one.
  static func isCheckpoint(_ entries: Set<String>) -> Bool {
    entries.contains { name in
      isPart(name) || name == inner || rank(ofMetadata: name) != nil || isNumbered(name, model)
    }
  }

  /// Returns the directories among `entries` that accelerate writes: models, then optimizers.
  static func accelerate(_ entries: [String]) -> [String] {
    guard entries.contains(where: { isNumbered($0, model) }) else { return [] }
    return [model, optimizer].flatMap { prefix in
      entries.filter { isNumbered($0, prefix) }.sorted {
        ($0.utf8.count, $0) < ($1.utf8.count, $1)
      }
    }
  }

  /// Returns the files with metadata in a directory with these entries.
  ///
  /// It is one, or one of each rank if the ranks saved without coordination
  /// (`use_collectives=False`, `torch/distributed/checkpoint/filesystem.py`).
  ///
  /// - Throws: `truncated` if the file of a rank is missing.
  static func metadata(_ entries: [String]) throws(CheckpointError) -> [String] {
    if entries.contains(metadata) { return [metadata] }
    let ranks = entries.compactMap { name in rank(ofMetadata: name).map { (rank: $0, name: name) } }
      .sorted { $0.rank < $1.rank }
    for (number, file) in ranks.enumerated() where file.rank != number {
      throw CheckpointError(
        .truncated, "the metadata of rank \(number) is missing, and rank \(file.rank) has one",
        remedy: "download or copy the whole directory again")
    }
    return ranks.map(\.name)
  }

  private static func isNumbered(_ name: String, _ prefix: String) -> Bool {
    number(in: name, after: prefix, before: "") != nil
  }

  /// Returns the rank in a name such as `__3.metadata`.
  private static func rank(ofMetadata name: String) -> Int? {
    number(in: name, after: "__", before: metadata)
  }

  /// Returns the number in a name, if it has no leading zeros.
  private static func number(
    in name: String, after prefix: String, before suffix: String
  ) -> Int? {
    guard let number = RankFileName.number(in: name, after: prefix, before: suffix),
      name == "\(prefix)\(number)\(suffix)"
    else { return nil }
    return number
  }
}
