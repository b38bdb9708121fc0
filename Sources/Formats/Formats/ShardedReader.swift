internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptSafetensors
internal import CkptSkeleton
internal import CkptTorch

/// Merges the shards of a checkpoint into one dict with the entries of all shards, in file order.
struct ShardedReader {
  private let index: ShardIndex
  private let directory: FilePath
  private var options: ReadingOptions

  private var graph = TensorGraph()
  private var entries: [NodeID] = []
  /// The tensors of the index that were found.
  private var found: Set<ExactString> = []
  private var shards: [ShardsDescription.Shard] = []
  private var metadata: [(key: String, value: String)] = []
  private var metadataKeys: [ExactString: String] = [:]
  private var unusedRegions: [FileRegion] = []
  private var warnings: [String] = []

  /// Reads the shards that the index `file` lists.
  ///
  /// - Throws: `inputOutput` for a missing shard, `malformed` if index and shards disagree, and the
  ///   errors of the readers.
  static func read(
    _ index: ShardIndex, _ file: FileSource, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    var reader = ShardedReader(
      index: index, directory: FilePath(file.path).directory, options: options)
    return try CheckpointError.within(file.path) { () throws(CheckpointError) in
      for name in index.names { try reader.addShard(name) }
      return try reader.finish(indexByteCount: file.byteCount)
    }
  }

  private init(index: ShardIndex, directory: FilePath, options: ReadingOptions) {
    self.index = index
    self.directory = directory
    self.options = options
    // The index names the entries of the files, not the values of an object.
    self.options.ignoresSkeleton = true
  }

  // MARK: Shards

  private mutating func addShard(_ name: String) throws(CheckpointError) {
    let path = directory.appending(name).text
    let file: FileSource
    do {
      file = try FileSource(path: path)
    } catch {
      var failure = error
      if error.cause?.isMissing == true {
        failure.remedy =
          "the index lists \(index.names.count) shards; download or copy the missing one"
      }
      throw failure
    }
    var look = try SourceLook(at: file)
    var shard = try CheckpointFile.read(&look, options, isShard: true)
    switch shard.container {
    case is TorchArchiveDescription:
      try shard.graph.numberStorages(from: graph.storages.count)
    case let description as SafetensorsDescription:
      guard description.layout == .plain else {
        throw CheckpointError(
          .unsupported, "a shard with the layout '\(description.layout.rawValue)' is not supported",
          remedy: "pass the path of this file alone"
        ).framed(by: path)
      }
      addMetadata(description.metadata, of: name)
    default: break
    }
    let aliases = (shard.container as? SafetensorsDescription)?.metadata.map(\.key) ?? []
    let count = try CheckpointError.within(path) { () throws(CheckpointError) in
      try addEntries(of: shard.graph, named: name, Set(aliases.map { ExactString($0) }))
    }
    shards.append(.init(name: name, byteCount: file.byteCount, entryCount: count))
    unusedRegions += shard.unusedRegions
    warnings += shard.warnings.map { "\(name): \($0)" }
  }

  /// Adds the entries of a shard's dict and returns their number.
  ///
  /// The index may leave out `aliases`, the names that only the shard's metadata has.
  private mutating func addEntries(
    of shard: TensorGraph, named name: String, _ aliases: Set<ExactString>
  ) throws(CheckpointError) -> Int {
    guard let items = shard.entries(of: shard.root) else {
      throw CheckpointError(
        .malformed,
        "a shard must hold a dict of tensors, found "
          + shard.description(of: shard.root, limit: 60))
    }
    if case .object(let object) = shard[shard.root], shard[object].state != nil {
      warnings.append(
        "\(name): the attributes of its \(typeName(of: object, shard)) are not included")
    }
    for (key, _) in items {
      if let text = shard.string(key), aliases.contains(ExactString(text)),
        index.shards[ExactString(text)] == nil
      {
        continue
      }
      try check(key, of: shard, in: name)
    }
    let shift = try graph.append(shard)
    for (key, value) in items { entries += [shift(key), shift(value)] }
    return items.count { key, _ in !aliases.contains(ExactString(shard.string(key) ?? "")) }
  }

  private func typeName(of object: ObjectID, _ graph: TensorGraph) -> String {
    graph.globalName(graph[object].callable) ?? "dict"
  }

  private mutating func check(
    _ key: NodeID, of graph: TensorGraph, in shard: String
  ) throws(CheckpointError) {
    guard let name = graph.string(key) else {
      throw CheckpointError(
        .malformed,
        "a shard must name its tensors by strings, found the key \(graph.description(of: key, limit: 60))"
      )
    }
    guard let expected = index.shards[ExactString(name)] else {
      throw CheckpointError(
        .malformed, "tensor '\(name)' is not in the index",
        remedy: "the index and the shards do not belong together")
    }
    guard ExactString(expected) == ExactString(shard) else {
      throw CheckpointError(
        .malformed, "tensor '\(name)' is in this shard, but the index lists it in '\(expected)'")
    }
    found.insert(ExactString(name))
  }

  private mutating func addMetadata(_ new: [(key: String, value: String)], of shard: String) {
    for (key, value) in new where metadataKeys[ExactString(key)] != value {
      guard key != SafetensorsDescription.skeletonKey else {
        warnings.append("\(shard): its skeleton is ignored, as always in shards")
        continue
      }
      metadataKeys[ExactString(key)] = value
      metadata.append((key, value))
    }
  }

  // MARK: The whole

  private mutating func finish(indexByteCount: Int) throws(CheckpointError) -> Checkpoint {
    addMetadata(
      index.metadata.filter { found.contains(ExactString($0.value)) }, of: "the index of the shards"
    )
    try requireComplete()
    let root = graph.addEmptyRoot()
    graph.replace(root, with: .dict(graph.addChildren(entries[...])))
    noteSize()
    let description = ShardsDescription(
      shards: shards, metadata: metadata, announcedByteCount: index.announcedByteCount,
      fileNumbers: index.fileNumbers)
    return Checkpoint(
      graph: graph,
      container: description,
      byteCount: shards.reduce(indexByteCount) { $0 + $1.byteCount },
      unusedRegions: unusedRegions, warnings: warnings)
  }

  private mutating func requireComplete() throws(CheckpointError) {
    // Tied names are in the index, but their shard has no entry for them.
    for (name, keeper) in metadata where found.contains(ExactString(keeper)) {
      if index.shards[ExactString(name)] != nil { found.insert(ExactString(name)) }
    }
    guard found.count < index.shards.count else { return }
    let missing = index.shards.filter { !found.contains($0.key) }
      .min { $0.key.text.utf8.lexicographicallyPrecedes($1.key.text.utf8) }
    guard let (name, shard) = missing else { return }
    let others = index.shards.count - found.count - 1
    throw CheckpointError(
      .malformed,
      "tensor '\(name.text)' is not in '\(shard)', although the index lists it there"
        + (others > 0 ? ", and \(others) more are missing" : ""))
  }

  /// Compares the total size in the index with that of the tensors.
  ///
  /// Programs count tensors that share a storage once or several times.
  private mutating func noteSize() {
    guard let announced = index.announcedByteCount else { return }
    let counted = graph.tensors.reduce(0) { $0 + $1.byteCount }
    let stored = graph.storages.reduce(0) { $0 + $1.byteCount }
    guard announced != counted, announced != stored else { return }
    warnings.append(
      "the index says that the tensors have \(announced) bytes, but they have \(counted)")
  }
}
