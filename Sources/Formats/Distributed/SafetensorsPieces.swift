package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptJSON
internal import CkptSafetensors

/// The directory of `HuggingFaceStorageWriter` (`torch.distributed.checkpoint`): a safetensors file for
/// each rank, with pieces of tensors.
package struct SafetensorsPiecesContainer: DirectoryContainer {
  /// The name of the container.
  package var name: String { "safetensors-pieces" }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }
  /// True: a file has pieces of many tensors.
  package var needsWholeDirectory: Bool { true }

  /// Creates the container.
  package init() {}

  /// Whether the directory has files called `shard-R-model-I-of-N.safetensors`.
  package func recognizes(entries: Set<String>) -> Bool { entries.contains(where: Self.isPart) }

  private static func isPart(_ name: String) -> Bool {
    name.utf8.starts(with: "shard-".utf8) && name.contains("-model-")
      && name.hasSuffix(".safetensors")
  }

  /// Reads the headers of all files.
  package func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    try CheckpointError.within(directory.text) { () throws(CheckpointError) in
      var reader = SafetensorsPieces(directory: directory, options: options)
      return try reader.read(try directory.entryNames().filter(Self.isPart).sorted())
    }
  }
}

/// The files of `HuggingFaceStorageWriter` as they were found.
package struct SafetensorsPiecesDescription: ContainerDescription {
  /// The number of files.
  package var fileCount: Int
  /// The number of pieces.
  package var chunkCount: Int

  /// `safetensors-pieces`.
  package var kind: String { "safetensors-pieces" }
  /// The name of the format.
  package var title: String { "distributed checkpoint in safetensors" }
  /// The numbers of files and pieces.
  package var facts: [ContainerFact] {
    [
      .init("files", .number(fileCount), "\(fileCount) file\(fileCount == 1 ? "" : "s")"),
      .init("chunks", .number(chunkCount), "\(chunkCount) chunks"),
    ]
  }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }
  /// False: the names are flat.
  package var holdsObject: Bool { false }
}

/// Joins the pieces of tensors by the offsets in the metadata of their files.
///
/// Whole shapes are not stored: a tensor ends where its last piece does
/// (`torch/distributed/checkpoint/_consolidate_hf_safetensors.py`).
private struct SafetensorsPieces {
  private static let key = "DCP_SHARDING_INFO"

  let directory: FilePath
  let options: ReadingOptions
  private var graph = TensorGraph()
  private var names: [String] = []
  private var pieces: [ExactString: [TensorPiece]] = [:]
  private var byteCount = 0
  private var warnings: [String] = []

  init(directory: FilePath, options: ReadingOptions) {
    self.directory = directory
    self.options = options
  }

  mutating func read(_ files: [String]) throws(CheckpointError) -> Checkpoint {
    try requireAll(files)
    for file in files { try add(file) }
    var pairs: [(key: NodeID, value: NodeID)] = []
    for name in names {
      let node = try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
        try join(pieces[ExactString(name)] ?? [])
      }
      pairs.append((try graph.addString(name), node))
    }
    graph.root = try graph.addDict(pairs)
    return Checkpoint(
      graph: graph,
      container: SafetensorsPiecesDescription(
        fileCount: files.count, chunkCount: pieces.values.reduce(0) { $0 + $1.count }),
      byteCount: byteCount, warnings: warnings)
  }

  /// Checks that the ranks' files are complete as far as their numbers tell.
  private func requireAll(_ files: [String]) throws(CheckpointError) {
    let ranks = files.compactMap { name in
      RankFileName.number(
        in: String(name.prefix { $0 != "m" }), after: "shard-", before: "-")
    }
    try RankFileName.requireAll(ranks.map { $0 - 1 }, of: ranks.max() ?? 0, "file")
  }

  private mutating func add(_ name: String) throws(CheckpointError) {
    var options = options
    options.ignoresSkeleton = true
    let file = try FileSource(path: directory.appending(name).text)
    let checkpoint = try SafetensorsReader.read(file, options)
    byteCount += file.byteCount
    warnings += checkpoint.warnings.map { "\(name): \($0)" }
    let metadata = (checkpoint.container as? SafetensorsDescription)?.metadata ?? []
    let text = metadata.first { $0.key == Self.key }?.value ?? "{}"
    let listed = try CheckpointError.within(name) { () throws(CheckpointError) in
      try Self.origins(in: Array(text.utf8))
    }
    var origins: [ExactString: [Int]] = [:]
    for (name, origin) in listed {
      origins[ExactString(name)] = origin
      note(name)
    }
    let shift = try graph.append(checkpoint.graph)
    for (key, value) in checkpoint.graph.entries(of: checkpoint.graph.root) ?? [] {
      guard let tensorName = checkpoint.graph.name(key),
        case .tensor(let tensor) = checkpoint.graph[value]
      else { continue }
      let origin =
        origins[ExactString(tensorName)] ?? checkpoint.graph[tensor].shape.map { _ in 0 }
      note(tensorName)
      pieces[ExactString(tensorName), default: []].append(
        TensorPiece(tensor: shift(tensor), origin: origin))
    }
  }

  /// Notes the place of a tensor in the order: that of the state dict, as far as a file lists it.
  private mutating func note(_ name: String) {
    guard pieces[ExactString(name)] == nil else { return }
    pieces[ExactString(name)] = []
    names.append(name)
  }

  /// Reads the offsets of the pieces: an object with a list `saved_offsets` for each tensor.
  private static func origins(
    in bytes: [UInt8]
  ) throws(CheckpointError) -> [(name: String, origin: [Int])] {
    var json = JSONReader(bytes.span)
    var origins: [(name: String, origin: [Int])] = []
    try json.beginObject()
    while let name = try json.nextKey() {
      try json.beginObject()
      while let key = try json.nextKey() {
        guard key == "saved_offsets" else {
          try json.skipValue()
          continue
        }
        var offsets: [Int] = []
        try json.beginArray()
        while try json.nextElement() {
          guard offsets.count < Limits.dimensions else {
            throw CheckpointError(.limitExceeded, "'\(name)' has too many offsets")
          }
          offsets.append(try json.integer())
        }
        origins.append((name, offsets))
      }
    }
    try json.end()
    return origins
  }

  private mutating func join(_ pieces: [TensorPiece]) throws(CheckpointError) -> NodeID {
    guard let first = pieces.first.map({ graph[$0.tensor] }) else {
      throw CheckpointError(.truncated, "\(Self.key) lists it, and no file has it")
    }
    var shape = first.shape.map { _ in 0 }
    for piece in pieces {
      let extents = graph[piece.tensor].shape
      guard extents.count == shape.count, piece.origin.count == shape.count,
        piece.origin.allSatisfy({ $0 >= 0 })
      else {
        throw CheckpointError(
          .malformed, "a piece of shape \(extents) at \(piece.origin) is no part of the tensor")
      }
      for (dimension, extent) in extents.enumerated() {
        let end = try piece.origin[dimension].adding(extent, orThrow: "the size of the tensor")
        shape[dimension] = max(shape[dimension], end)
      }
    }
    return try graph.addTensor(first.dtype, shape, of: graph.blocks(of: pieces))
  }
}
