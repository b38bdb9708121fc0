internal import CkptBase
internal import CkptGraph
internal import CkptPickle

/// The `.metadata` of a distributed checkpoint: what is stored, and where.
///
/// It is the pickle of a `torch.distributed.checkpoint.metadata.Metadata`. Classes are known by their
/// names alone, because their modules changed between versions of PyTorch and OLMo-core has its own.
struct DistributedMetadata {
  /// One value of the flattened state dict.
  enum Entry {
    /// A tensor, which is stored in chunks.
    case tensor(DType, shape: [Int], chunks: [Chunk])
    /// Any other value, which is stored as a pickle.
    case value
  }

  /// A box of a tensor's elements that is stored in one piece.
  struct Chunk {
    /// The index of the first element in the tensor, along each dimension.
    var offsets: [Int]
    /// The number of elements along each dimension.
    var sizes: [Int]
  }

  /// The place of one stored item: an archive of `torch.save` inside of a file.
  struct Item {
    /// The file, relative to the directory of the checkpoint.
    var path: String
    /// The first byte in the file.
    var offset: Int
    /// The length in bytes.
    var byteCount: Int
  }

  /// The identity of an item: the name, and for a chunk of a tensor its offsets.
  struct ItemKey: Hashable {
    var name: ExactString
    var offsets: [Int]?
  }

  /// A step from a container to a value in it.
  enum Step: Hashable {
    case key(String)
    case index(Int)
  }

  /// The maximum number of chunks and path steps, if each has its own node.
  ///
  /// A small pickle could have any number of tensors share one long list.
  private var unsharedCount: Int

  /// The values by their flattened names, in the order of the file.
  private(set) var entries: [(name: String, entry: Entry)] = []
  /// The path of each value in the state dict; `nil` where the flattened names are its keys.
  private(set) var paths: [(name: String, path: [Step])]?
  /// The place of each item.
  private(set) var items: [ItemKey: Item] = [:]

  /// Reads the metadata in `bytes`.
  ///
  /// - Throws: `malformed` for other contents, `forbidden` for a pickle that can run code, and what the
  ///   pickle machine throws.
  init(reading bytes: [UInt8]) throws(CheckpointError) {
    var unpickler = Unpickler()
    var reader = ByteReader(bytes.span)
    let root = try unpickler.load(&reader)
    let objects = MetadataObjects(graph: unpickler.finish())
    unsharedCount = objects.graph.nodeCount
    let fields = try objects.fields(of: root, "Metadata")
    try readEntries(objects, objects.required("state_dict_metadata", in: fields))
    try readItems(objects, objects.required("storage_data", in: fields))
    if let plan = fields[ExactString("planner_data")], plan != TensorGraph.none {
      try readPaths(objects, plan)
    }
  }

  /// The entries by their names, for ``add(_:)``.
  private lazy var places = Dictionary(
    uniqueKeysWithValues: entries.enumerated().map { (ExactString($1.name), $0) })

  /// Adds the metadata of another rank, which saved on its own.
  ///
  /// A value that several ranks have is that of the first.
  ///
  /// - Throws: `malformed` if the ranks describe a value differently.
  mutating func add(_ other: DistributedMetadata) throws(CheckpointError) {
    var added: Set<ExactString> = []
    for (name, entry) in other.entries {
      guard let place = places[ExactString(name)] else {
        added.insert(ExactString(name))
        places[ExactString(name)] = entries.count
        entries.append((name, entry))
        continue
      }
      switch (entries[place].entry, entry) {
      case (.value, .value): break
      case (
        .tensor(let dtype, let shape, var chunks), .tensor(let otherDType, let otherShape, let more)
      )
      where dtype == otherDType && shape == otherShape:
        // Without the other reference, the array grows in place.
        entries[place].entry = .value
        for chunk in more
        where items[ItemKey(name: ExactString(name), offsets: chunk.offsets)] == nil {
          chunks.append(chunk)
        }
        entries[place].entry = .tensor(dtype, shape: shape, chunks: chunks)
      default:
        throw CheckpointError(.malformed, "'\(name)' has another dtype or shape on another rank")
      }
    }
    items.merge(other.items) { first, _ in first }
    if let more = other.paths {
      paths?.append(contentsOf: more.lazy.filter { added.contains(ExactString($0.name)) })
    } else {
      paths = nil
    }
  }

  private mutating func readEntries(
    _ objects: MetadataObjects, _ node: NodeID
  ) throws(CheckpointError) {
    var seen: Set<ExactString> = []
    for (key, value) in try objects.pairs(of: node) {
      let name = try objects.text(key)
      guard seen.insert(ExactString(name)).inserted else {
        throw CheckpointError(.malformed, "'\(name)' is described twice")
      }
      try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
        let entry = try Self.entry(objects, value)
        if case .tensor(_, _, let chunks) = entry { try count(chunks.count) }
        entries.append((name, entry))
      }
    }
  }

  private mutating func count(_ more: Int) throws(CheckpointError) {
    unsharedCount -= more
    guard unsharedCount >= 0 else {
      throw CheckpointError(.malformed, "the metadata has one list in many places")
    }
  }

  private static func entry(
    _ objects: MetadataObjects, _ node: NodeID
  ) throws(CheckpointError) -> Entry {
    if objects.graph.className(of: node) == "BytesStorageMetadata" { return .value }
    let fields = try objects.fields(of: node, "TensorStorageMetadata")
    let dtype = try objects.dtype(ofProperties: objects.required("properties", in: fields))
    let shape = try objects.sizes(objects.required("size", in: fields))
    try Tensor.requireSize(shape, of: dtype)
    var chunks: [Chunk] = []
    for chunk in try objects.elements(of: objects.required("chunks", in: fields)) {
      let fields = try objects.fields(of: chunk, "ChunkStorageMetadata")
      chunks.append(
        Chunk(
          offsets: try objects.sizes(objects.required("offsets", in: fields)),
          sizes: try objects.sizes(objects.required("sizes", in: fields))))
    }
    return .tensor(dtype, shape: shape, chunks: chunks)
  }

  private mutating func readItems(
    _ objects: MetadataObjects, _ node: NodeID
  ) throws(CheckpointError) {
    for (key, value) in try objects.pairs(of: node) {
      let index = try objects.fields(of: key, "MetadataIndex")
      let name = try objects.text(objects.required("fqn", in: index))
      try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
        var offsets: [Int]?
        if let node = index[ExactString("offset")], node != TensorGraph.none {
          offsets = try objects.sizes(node)
        }
        let item = try Self.item(objects, value)
        let key = ItemKey(name: ExactString(name), offsets: offsets)
        guard items.updateValue(item, forKey: key) == nil else {
          throw CheckpointError(.malformed, "the metadata has two places for one item")
        }
      }
    }
  }

  private static func item(
    _ objects: MetadataObjects, _ node: NodeID
  ) throws(CheckpointError) -> Item {
    let fields = try objects.fields(of: node, "_StorageInfo")
    let transforms = fields[ExactString("transform_descriptors")] ?? TensorGraph.none
    guard transforms == TensorGraph.none else {
      throw CheckpointError(
        .unsupported, "the item went through transforms, such as a compression",
        remedy: "save the checkpoint without transforms")
    }
    let path = try objects.text(objects.required("relative_path", in: fields))
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard !path.utf8.contains(0),
      !parts.contains(where: { $0.isEmpty || $0.elementsEqual("..".utf8) })
    else {
      throw CheckpointError(
        .malformed, "the file '\(path)' is not inside the directory of the checkpoint")
    }
    let offset = try objects.integer(objects.required("offset", in: fields))
    let byteCount = try objects.integer(objects.required("length", in: fields))
    guard offset >= 0, byteCount >= 0, offset <= Int.max - byteCount else {
      throw CheckpointError(
        .malformed, "the item has offset \(offset) and length \(byteCount)")
    }
    return Item(path: path, offset: offset, byteCount: byteCount)
  }

  private mutating func readPaths(
    _ objects: MetadataObjects, _ node: NodeID
  ) throws(CheckpointError) {
    var paths: [(name: String, path: [Step])] = []
    for (key, value) in try objects.pairs(of: node) {
      let name = try objects.text(key)
      var path: [Step] = []
      for step in try objects.elements(of: value) {
        if let index = objects.graph.int(step) {
          path.append(.index(index))
        } else {
          path.append(.key(try objects.text(step)))
        }
      }
      guard !path.isEmpty, path.count <= Limits.pathLength else {
        throw CheckpointError(.malformed, "'\(name)' has a path of \(path.count) steps")
      }
      try count(path.count)
      paths.append((name, path))
    }
    self.paths = paths
  }
}

/// The objects of a metadata pickle, by the names of their classes and attributes.
private struct MetadataObjects {
  let graph: TensorGraph

  /// The attributes of an object of the class `name`.
  func fields(
    of id: NodeID, _ name: String
  ) throws(CheckpointError) -> [ExactString: NodeID] {
    guard graph.className(of: id) == name, case .object(let object) = graph[id],
      var state = graph[object].state
    else { throw unexpected(id, expected: "an object of '\(name)'") }
    // A class with slots has a pair: the other attributes, and those in slots.
    if let pair = graph.tuple(state), pair.count == 2, let slots = pair.last { state = slots }
    var fields: [ExactString: NodeID] = [:]
    let attributes = try pairs(of: state)
    guard attributes.count <= Limits.knownArguments else {
      throw unexpected(id, expected: "few attributes")
    }
    for (key, value) in attributes { fields[ExactString(try text(key))] = value }
    return fields
  }

  func required(
    _ name: String, in fields: [ExactString: NodeID]
  ) throws(CheckpointError) -> NodeID {
    guard let node = fields[ExactString(name)] else {
      throw CheckpointError(.malformed, "the attribute '\(name)' is missing")
    }
    return node
  }

  func pairs(of id: NodeID) throws(CheckpointError) -> [(key: NodeID, value: NodeID)] {
    guard let entries = graph.entries(of: id) else { throw unexpected(id, expected: "a dict") }
    return entries
  }

  func elements(of id: NodeID) throws(CheckpointError) -> ArraySlice<NodeID> {
    guard let elements = graph.elements(of: id) else { throw unexpected(id, expected: "a list") }
    return elements
  }

  func text(_ id: NodeID) throws(CheckpointError) -> String {
    guard let text = graph.name(id) else {
      throw unexpected(id, expected: "a string of at most \(Limits.nameBytes) bytes")
    }
    return text
  }

  func integer(_ id: NodeID) throws(CheckpointError) -> Int {
    guard case .int(let value) = graph[id] else { throw unexpected(id, expected: "an integer") }
    return value
  }

  /// The numbers of a `torch.Size`, none of which is negative.
  func sizes(_ id: NodeID) throws(CheckpointError) -> [Int] {
    var id = id
    if graph.className(of: id) == "Size", case .object(let object) = graph[id],
      let numbers = graph.tuple(graph[object].arguments)?.first
    {
      id = numbers
    }
    var sizes: [Int] = []
    let elements = try elements(of: id)
    guard elements.count <= Limits.dimensions else {
      throw CheckpointError(.limitExceeded, "a tensor has \(elements.count) dimensions")
    }
    for element in elements {
      let size = try integer(element)
      guard size >= 0 else { throw CheckpointError(.malformed, "a size or offset is \(size)") }
      sizes.append(size)
    }
    return sizes
  }

  /// The dtype in a `TensorProperties`, whose state is a tuple that begins with it.
  func dtype(ofProperties id: NodeID) throws(CheckpointError) -> DType {
    guard graph.className(of: id) == "TensorProperties", case .object(let object) = graph[id],
      let state = graph[object].state, let first = graph.tuple(state)?.first,
      case .global(let module, let name) = graph[first], graph.name(module) == "torch",
      let dtype = graph.name(name).flatMap(DType.init(rawValue:))
    else { throw unexpected(id, expected: "the properties of a tensor with a dtype of torch") }
    return dtype
  }

  private func unexpected(_ id: NodeID, expected: String) -> CheckpointError {
    CheckpointError(
      .malformed, "expected \(expected), found \(graph.description(of: id, limit: 60))")
  }
}
