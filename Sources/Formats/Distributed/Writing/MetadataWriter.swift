internal import CkptBase
internal import CkptGraph
internal import CkptPickle

/// Writes the `.metadata` of a distributed checkpoint.
///
/// The classes have the paths of PyTorch 2.2, which every later version loads too. `storage_meta` is left
/// out, because PyTorch 2.2 has no such class; `planner_data` is there, because PyTorch 2.4 and 2.6
/// cannot unflatten without it.
struct MetadataWriter {
  private typealias Reference = PickleStream.Reference

  private var pickle = PickleStream()
  private var texts: [ExactString: Reference] = [:]
  private var classes: [String: Reference] = [:]
  private var dtypes: [DType: Reference] = [:]
  private var sizes: [[Int]: Reference] = [:]
  private var chunks: [ChunkKey: Reference] = [:]

  /// The box of a chunk: many tensors have the same.
  private struct ChunkKey: Hashable {
    var offsets: [Int]
    var sizes: [Int]
  }

  private static let metadata = "torch.distributed.checkpoint.metadata"
  private static let sharded = "torch.distributed._shard.sharded_tensor.metadata"
  private static let filesystem = "torch.distributed.checkpoint.filesystem"

  /// Returns the pickle for a layout.
  static func write(_ layout: DistributedLayout) -> [UInt8] {
    var writer = MetadataWriter()
    writer.write(layout)
    return writer.pickle.finish()
  }

  private mutating func write(_ layout: DistributedLayout) {
    makeInstance(Self.metadata, "Metadata")
    pickle.writeEmptyDict()
    pickle.startItems()
    write("state_dict_metadata")
    writeDict(layout.entries.count) { writer, index in
      let entry = layout.entries[index]
      writer.write(entry.name)
      writer.writeEntry(layout, entry)
    }
    write("planner_data")
    writeDict(layout.entries.count) { writer, index in
      let entry = layout.entries[index]
      writer.write(entry.name)
      writer.write(entry.path)
    }
    write("storage_data")
    writeItems(layout)
    pickle.endDictItems()
    pickle.setState()
  }

  private mutating func writeEntry(
    _ layout: DistributedLayout, _ entry: StateDictFlattening.Entry
  ) {
    guard let tensor = entry.tensor.map({ layout.graph[$0] }) else {
      return makeInstance(Self.metadata, "BytesStorageMetadata")
    }
    makeInstance(Self.metadata, "TensorStorageMetadata")
    pickle.writeEmptyDict()
    pickle.startItems()
    write("properties")
    writeProperties(tensor.dtype)
    write("size")
    writeSize(tensor.shape)
    write("chunks")
    pickle.writeEmptyList()
    pickle.startItems()
    for chunk in TensorChunk.chunks(of: tensor.dtype, tensor.shape, layout.division) {
      write(chunk)
    }
    pickle.endListItems()
    pickle.endDictItems()
    pickle.setState()
  }

  private mutating func write(_ chunk: TensorChunk) {
    let key = ChunkKey(offsets: chunk.offsets, sizes: chunk.sizes)
    if let known = chunks[key] { return pickle.write(known) }
    makeInstance(Self.metadata, "ChunkStorageMetadata")
    pickle.writeEmptyDict()
    pickle.startItems()
    write("offsets")
    writeSize(chunk.offsets)
    write("sizes")
    writeSize(chunk.sizes)
    pickle.endDictItems()
    pickle.setState()
    chunks[key] = pickle.remember()
  }

  /// Writes the properties of a tensor: `(dtype, layout, requires_grad, memory_format, pin_memory)`.
  private mutating func writeProperties(_ dtype: DType) {
    if let known = dtypes[dtype] { return pickle.write(known) }
    makeInstance(Self.sharded, "TensorProperties")
    pickle.startItems()
    writeGlobal("torch", dtype.name)
    writeGlobal("torch.serialization", "_get_layout")
    pickle.startItems()
    write("torch.strided")
    pickle.endTuple()
    pickle.call()
    pickle.write(false)
    writeGlobal(Self.sharded, "MEM_FORMAT_ENCODING")
    pickle.startItems()
    pickle.write(0)
    pickle.endTuple()
    pickle.call()
    pickle.write(false)
    pickle.endTuple()
    pickle.setState()
    dtypes[dtype] = pickle.remember()
  }

  /// Writes the keys and indices on the way to a value.
  private mutating func write(_ path: [DistributedMetadata.Step]) {
    pickle.startItems()
    for step in path {
      switch step {
      case .key(let key): write(key)
      case .index(let index): pickle.write(index)
      }
    }
    pickle.endTuple()
  }

  // MARK: Items

  private mutating func writeItems(_ layout: DistributedLayout) {
    pickle.writeEmptyDict()
    pickle.startItems()
    var count = 0
    layout.forEachItem { item in
      count += 1
      if count.isMultiple(of: Self.batchSize) {
        pickle.endDictItems()
        pickle.startItems()
      }
      makeInstance(Self.metadata, "MetadataIndex")
      pickle.writeEmptyDict()
      pickle.startItems()
      write("fqn")
      write(layout.entries[item.entry].name)
      write("offset")
      if let chunk = item.chunk { writeSize(chunk.offsets) } else { pickle.writeNone() }
      write("index")
      if let chunk = item.chunk { pickle.write(chunk.index) } else { pickle.writeNone() }
      pickle.endDictItems()
      pickle.setState()
      makeInstance(Self.filesystem, "_StorageInfo")
      pickle.writeEmptyDict()
      pickle.startItems()
      write("relative_path")
      write(DistributedLayout.name(ofFile: item.file))
      write("offset")
      pickle.write(item.offset)
      write("length")
      pickle.write(item.byteCount)
      pickle.endDictItems()
      pickle.setState()
    }
    pickle.endDictItems()
  }

  // MARK: Parts

  /// The number of items of a dict at a time, as in CPython.
  private static let batchSize = 1000

  private mutating func writeDict(
    _ count: Int, _ writeItem: (inout MetadataWriter, Int) -> Void
  ) {
    pickle.writeEmptyDict()
    pickle.startItems()
    for index in 0..<count {
      if index > 0, index.isMultiple(of: Self.batchSize) {
        pickle.endDictItems()
        pickle.startItems()
      }
      writeItem(&self, index)
    }
    pickle.endDictItems()
  }

  private mutating func makeInstance(_ module: String, _ name: String) {
    writeGlobal(module, name)
    pickle.makeInstance()
  }

  private mutating func writeGlobal(_ module: String, _ name: String) {
    let dotted = "\(module).\(name)"
    if let known = classes[dotted] { return pickle.write(known) }
    pickle.writeGlobal(module, name)
    classes[dotted] = pickle.remember()
  }

  /// Writes a `torch.Size`.
  private mutating func writeSize(_ numbers: [Int]) {
    if let known = sizes[numbers] { return pickle.write(known) }
    writeGlobal("torch", "Size")
    pickle.startItems()
    pickle.startItems()
    for number in numbers { pickle.write(number) }
    pickle.endTuple()
    pickle.endTuple()
    pickle.call()
    sizes[numbers] = pickle.remember()
  }

  private mutating func write(_ text: String) {
    if let known = texts[ExactString(text)] { return pickle.write(known) }
    pickle.write(text)
    texts[ExactString(text)] = pickle.remember()
  }
}
