internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptTorch

/// Puts a distributed checkpoint together: the state dict that the ranks saved, with every tensor
/// whole.
///
/// A tensor becomes a storage of placed blocks, the chunks in the files of the ranks. PyTorch accepts
/// chunks that overlap, leave holes or are of another dtype; here they are errors.
struct DistributedReader {
  private let directory: FilePath
  private let options: ReadingOptions
  private let metadata: DistributedMetadata
  private var graph = TensorGraph()
  private var files: [ExactString: FileSource] = [:]
  private var warnings = DistinctWarnings()
  private var chunkCount = 0

  /// Reads the checkpoint in `directory`, which has these entries; `nil` if it has no metadata.
  ///
  /// - Throws: ``CheckpointError`` with the file and the value in its path.
  static func read(
    _ directory: FilePath, _ entries: [String], _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    let names = try CheckpointError.within(directory.text) { () throws(CheckpointError) in
      try DistributedPlaces.metadata(entries)
    }
    var (metadata, byteCount): (DistributedMetadata?, Int) = (nil, 0)
    for name in names {
      let file = try FileSource(path: directory.appending(name).text)
      byteCount += file.byteCount
      try CheckpointError.within(file.path) { () throws(CheckpointError) in
        let part = try Self.metadata(in: file)
        if metadata == nil { metadata = part } else { try metadata?.add(part) }
      }
    }
    guard let metadata else { return nil }
    var reader = DistributedReader(directory: directory, options: options, metadata: metadata)
    return try CheckpointError.within(directory.text) { () throws(CheckpointError) in
      try reader.read(metadataByteCount: byteCount)
    }
  }

  private static func metadata(in file: FileSource) throws(CheckpointError) -> DistributedMetadata {
    let bytes = try file.contents(of: "the metadata", atMost: Limits.pickleBytes)
    guard bytes.first == 0x80 else {
      throw CheckpointError(
        bytes.isEmpty ? .truncated : .malformed,
        bytes.isEmpty ? "the file is empty" : "this is not the pickle of a .metadata file",
        remedy: "download it again: it may be a web page or a git-lfs pointer")
    }
    return try DistributedMetadata(reading: bytes)
  }

  private init(directory: FilePath, options: ReadingOptions, metadata: DistributedMetadata) {
    self.directory = directory
    self.options = options
    self.metadata = metadata
  }

  private mutating func read(metadataByteCount: Int) throws(CheckpointError) -> Checkpoint {
    var values: [ExactString: NodeID] = [:]
    for (name, entry) in metadata.entries {
      let node = try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
        switch entry {
        case .value: try addValue(name)
        case .tensor(let dtype, let shape, let chunks):
          try addTensor(name, dtype, shape, chunks)
        }
      }
      values[ExactString(name)] = node
    }
    try buildTree(values)
    let description = DistributedDescription(
      fileCount: files.count, tensorCount: metadata.entries.count { !$0.entry.isValue },
      chunkCount: chunkCount, isNested: metadata.paths != nil)
    return Checkpoint(
      graph: graph, container: description,
      byteCount: files.values.reduce(metadataByteCount) { $0 + $1.byteCount },
      warnings: warnings.all)
  }

  private mutating func buildTree(_ values: [ExactString: NodeID]) throws(CheckpointError) {
    let paths = metadata.paths ?? metadata.entries.map { ($0.name, [.key($0.name)]) }
    var tree = FlattenedTree(count: paths.count)
    var used: Set<ExactString> = []
    for (name, path) in paths {
      try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
        guard let value = values[ExactString(name)] else {
          throw CheckpointError(.malformed, "planner_data has it, and the checkpoint does not")
        }
        guard used.insert(ExactString(name)).inserted else {
          throw CheckpointError(.malformed, "planner_data has it twice")
        }
        try tree.add(value, at: path)
      }
    }
    if let left = metadata.entries.first(where: { !used.contains(ExactString($0.name)) }) {
      throw CheckpointError(.malformed, "'\(left.name)' has no path in planner_data")
    }
    try tree.build(in: &graph)
  }

  // MARK: Items

  private mutating func addValue(_ name: String) throws(CheckpointError) -> NodeID {
    let item = try item(.init(name: ExactString(name), offsets: nil)).graph
    return try graph.appendNumbered(item)(item.root)
  }

  private mutating func addTensor(
    _ name: String, _ dtype: DType, _ shape: [Int], _ chunks: [DistributedMetadata.Chunk]
  ) throws(CheckpointError) -> NodeID {
    var blocks: [PlacedBlocks.Block] = []
    for chunk in chunks {
      let key = DistributedMetadata.ItemKey(name: ExactString(name), offsets: chunk.offsets)
      try CheckpointError.within("chunk at \(chunk.offsets)") { () throws(CheckpointError) in
        if let elements = try elements(key, dtype, chunk.sizes) {
          blocks.append(.init(elements, at: chunk.offsets))
        }
      }
      chunkCount += 1
    }
    return try graph.addTensor(dtype, shape, of: blocks)
  }

  /// The elements of a chunk; `nil` for one without elements.
  private mutating func elements(
    _ key: DistributedMetadata.ItemKey, _ dtype: DType, _ sizes: [Int]
  ) throws(CheckpointError) -> ElementBlock? {
    let item = try item(key).graph
    guard case .tensor(let id) = item[item.root] else {
      throw CheckpointError(
        .malformed, "expected a tensor, found \(item.description(of: item.root, limit: 60))")
    }
    let tensor = item[id]
    guard tensor.dtype == dtype, tensor.shape == sizes else {
      throw CheckpointError(
        .malformed,
        "the metadata has \(dtype.name) \(sizes), the file \(tensor.dtype.name) \(tensor.shape)")
    }
    return try item.block(of: id)
  }

  /// Reads the archive of an item.
  private mutating func item(
    _ key: DistributedMetadata.ItemKey
  ) throws(CheckpointError) -> Checkpoint {
    guard let item = metadata.items[key] else {
      throw CheckpointError(.malformed, "the metadata does not say where it is stored")
    }
    let file = try file(item.path)
    guard item.offset <= file.byteCount, item.byteCount <= file.byteCount - item.offset else {
      throw CheckpointError(
        .truncated,
        "the item has \(item.byteCount) bytes at \(item.offset), the file \(file.byteCount)",
        remedy: "download or copy it again"
      ).framed(by: item.path)
    }
    let slice = try SliceSource(item.offset..<item.offset + item.byteCount, of: file)
    let checkpoint = try TorchReader.read(slice, droppingUnsafe: options.dropsUnsafe)
    for warning in checkpoint.warnings { warnings.add(warning) }
    return checkpoint
  }

  private mutating func file(_ path: String) throws(CheckpointError) -> FileSource {
    if let file = files[ExactString(path)] { return file }
    do {
      let file = try FileSource(path: directory.appending(path).text)
      files[ExactString(path)] = file
      return file
    } catch {
      var failure = error
      if error.cause?.isMissing == true {
        failure.remedy = "a rank's file is missing; download or copy the whole directory again"
      }
      throw failure
    }
  }
}

extension DistributedMetadata.Entry {
  fileprivate var isValue: Bool { if case .value = self { true } else { false } }
}
