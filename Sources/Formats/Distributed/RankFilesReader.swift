internal import CkptBase
internal import CkptContainer
internal import CkptGraph

/// Joins the state dicts that ranks saved each for itself.
///
/// Pieces of `DTensor` and `ShardedTensor` become whole tensors. Everything else is the same on all
/// ranks, such as buffers: that of the first rank is taken, and a difference is a warning.
struct RankFilesReader {
  private var files: RankFiles
  private var warnings = DistinctWarnings()
  /// The ranks whose files are being joined.
  private var ranks: [Int] = []
  /// The values that were joined before, so that shared ones are joined once and stay shared.
  private var joined: [[NodeID]: NodeID] = [:]

  /// Reads all files of ranks in a directory.
  ///
  /// - Throws: ``CheckpointError`` with the value in its path.
  static func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    var parts: [(name: String, files: [RankFile])] = []
    for file in try directory.entryNames().compactMap({ RankFile($0) }).sorted(by: {
      $0.rank < $1.rank
    }) {
      if let index = parts.firstIndex(where: { $0.name == file.part }) {
        parts[index].files.append(file)
      } else {
        parts.append((file.part, [file]))
      }
    }
    var reader = RankFilesReader(files: RankFiles(in: directory, options))
    return try reader.read(parts.sorted { $0.name < $1.name })
  }

  private init(files: RankFiles) { self.files = files }

  private mutating func read(
    _ parts: [(name: String, files: [RankFile])]
  ) throws(CheckpointError) -> Checkpoint {
    var pairs: [(key: NodeID, value: NodeID)] = []
    var rankCount = 0
    for part in parts {
      var roots: [NodeID] = []
      for file in part.files { roots.append(try files.add(file.name)) }
      let count = part.files.compactMap(\.worldSize).max() ?? 0
      ranks = part.files.map(\.rank)
      guard Set(part.files.compactMap(\.worldSize)).count < 2, ranks.count == Set(ranks).count
      else {
        throw CheckpointError(
          .malformed,
          "the files are of several saves: \(part.files.map(\.name).joined(separator: ", "))",
          remedy: "remove the files of all saves but one from the directory")
      }
      try RankFileName.requireAll(ranks, of: max(count, (ranks.last ?? 0) + 1), "file")
      let whole = try join(roots, name: parts.count == 1 ? "" : part.name, depth: 0)
      rankCount = max(rankCount, ranks.count)
      pairs.append((try files.graph.addString(part.name), whole))
    }
    files.graph.root =
      parts.count == 1 ? pairs[0].value : try files.graph.addDict(pairs)
    return Checkpoint(
      graph: files.graph,
      container: RankFilesDescription(rankCount: rankCount, fileCount: files.count),
      byteCount: files.byteCount, warnings: files.warnings.all + warnings.all)
  }

  // MARK: Joining

  /// The most levels of a state dict; PyTorch's have four.
  private static let depthLimit = 64

  /// Joins the values that the ranks have in one place.
  private mutating func join(
    _ nodes: [NodeID], name: String, depth: Int
  ) throws(CheckpointError) -> NodeID {
    if let node = joined[nodes] { return node }
    guard depth < Self.depthLimit else {
      throw CheckpointError(.limitExceeded, "values are nested more than \(depth) deep")
    }
    let pieceCount = nodes.count { ShardedTensors.isPiece($0, in: files.graph) }
    guard pieceCount == 0 || pieceCount == nodes.count else {
      throw CheckpointError(.malformed, "'\(name)' is sharded on some ranks only")
    }
    let node: NodeID
    if ShardedTensors.isPiece(nodes[0], in: files.graph) {
      node = try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
        let tensors = try ShardedTensors(nodes, in: files.graph)
        try RankFileName.requireAll(ranks, of: max(tensors.worldSize ?? 0, ranks.count), "file")
        return try tensors.join(in: &files.graph)
      }
    } else if files.graph.isMapping(nodes[0]) {
      node = try joinDicts(nodes, name, depth)
    } else if let elements = files.graph.elements(of: nodes[0]) {
      node = try joinLists(nodes, elements.count, name, depth)
    } else {
      compare(nodes, name)
      node = nodes[0]
    }
    joined[nodes] = node
    return node
  }

  private mutating func joinDicts(
    _ nodes: [NodeID], _ name: String, _ depth: Int
  ) throws(CheckpointError) -> NodeID {
    var keys: [(key: NodeID, text: ExactString)] = []
    var values: [ExactString: [NodeID]] = [:]
    for node in nodes {
      for (key, value) in files.graph.entries(of: node) ?? [] {
        let text = ExactString(files.graph.description(of: key, limit: Limits.nameBytes))
        if values[text] == nil { keys.append((key, text)) }
        values[text, default: []].append(value)
      }
    }
    var pairs: [(key: NodeID, value: NodeID)] = []
    for (key, text) in keys where values[text]?.count != nodes.count {
      warnings.add("'\(path(name, key))' is missing on some ranks")
    }
    var isChanged = keys.count != files.graph.entries(of: nodes[0])?.count
    for (key, text) in keys {
      let parts = values[text] ?? []
      let value = try join(parts, name: path(name, key), depth: depth + 1)
      isChanged = isChanged || value != parts[0]
      pairs.append((key, value))
    }
    return isChanged ? try files.graph.addDict(pairs) : nodes[0]
  }

  /// The path of a value in a dict.
  private func path(_ name: String, _ key: NodeID) -> String {
    let label = files.graph.name(key) ?? files.graph.description(of: key, limit: 40)
    return name.isEmpty ? label : "\(name).\(label)"
  }

  private mutating func joinLists(
    _ nodes: [NodeID], _ count: Int, _ name: String, _ depth: Int
  ) throws(CheckpointError) -> NodeID {
    guard count <= Limits.knownArguments,
      nodes.allSatisfy({ files.graph.elements(of: $0)?.count == count })
    else {
      // Long lists are values; a piece in one would be taken for the whole.
      for node in nodes {
        for element in files.graph.elements(of: node) ?? []
        where ShardedTensors.isPiece(element, in: files.graph) {
          throw CheckpointError(.unsupported, "'\(name)' is a long list with sharded tensors")
        }
      }
      compare(nodes, name)
      return nodes[0]
    }
    var items: [NodeID] = []
    for index in 0..<count {
      let parts = nodes.compactMap { node in
        files.graph.elements(of: node).map { $0[$0.startIndex + index] }
      }
      items.append(try join(parts, name: "\(name).\(index)", depth: depth + 1))
    }
    guard items != files.graph.elements(of: nodes[0]).map(Array.init) else { return nodes[0] }
    let run = files.graph.addChildren(items[...])
    if case .tuple = files.graph[nodes[0]] { return try files.graph.add(.tuple(run)) }
    return try files.graph.add(.list(run))
  }

  // MARK: Differences

  /// Notes a value that is not the same on all ranks: scalars, and tensors by their checksums.
  private mutating func compare(_ nodes: [NodeID], _ name: String) {
    let first = identity(of: nodes[0])
    guard nodes.dropFirst().contains(where: { identity(of: $0) != first }) else { return }
    warnings.add("'\(name)' differs between the ranks; that of rank 0 is used")
  }

  private func identity(of node: NodeID) -> String {
    guard case .tensor(let id) = files.graph[node] else {
      return files.graph.description(of: node, limit: 60)
    }
    let tensor = files.graph[id]
    let checksum = tensor.storage.flatMap { files.graph[$0].region?.crc32 }
    return "\(tensor.dtype.name) \(tensor.shape) \(checksum.map { String($0) } ?? "")"
  }
}
