package import CkptBase
package import CkptGraph

/// Adds the calls that `torch.save` writes to tensors that no pickle described.
///
/// The calls are those of current PyTorch for dense tensors (`torch/_tensor.py`,
/// `_reduce_ex_internal`). Such tensors are the result of `safetensors.torch.load_file`.
package struct ConstructionWriter {
  private var graph: TensorGraph
  /// The strs that name storages.
  ///
  /// `torch.save` makes a new str for each.
  var storageKeys: Set<NodeID> { Set(keys.values) }
  private var keys: [StorageID: NodeID] = [:]
  private var nextKey: Int
  private var constants: [String: NodeID] = [:]
  private var globals: [String: NodeID] = [:]

  /// Creates a writer.
  ///
  /// Storages get numbers from `firstKey` on as names.
  package init(graph: consuming TensorGraph, firstKey: Int) {
    self.graph = graph
    nextKey = firstKey
  }

  /// The graph with the constructions.
  package consuming func finish() -> TensorGraph { graph }

  /// Writes the constructions of all tensors without one, in the order of the pickler.
  ///
  /// - Throws: `unsupported` for element types that PyTorch lacks.
  package mutating func writeAll() throws(CheckpointError) {
    let isComplete = graph.tensors.allSatisfy { if case .plain = $0.origin { false } else { true } }
    guard !isComplete else { return }
    for leaf in try LeafWalk.leaves(of: graph).all {
      guard case .tensor(let id) = graph[leaf.node],
        case .plain = graph.tensors[graph.index(of: id)].origin
      else { continue }
      try write(id)
    }
  }

  private mutating func write(_ id: TensorID) throws(CheckpointError) {
    let tensor = graph[id]
    guard let storage = tensor.storage else { return }
    let isUntyped = StorageClass.hasUntypedTensors(of: tensor.dtype)
    var arguments = [
      try persistent(storage, isUntyped ? nil : tensor.dtype), try graph.add(.int(tensor.offset)),
      try ints(tensor.shape), try ints(tensor.strides),
      tensor.requiresGradient ? TensorGraph.true : TensorGraph.false, try hooks(),
    ]
    if isUntyped { arguments.append(try global("torch", tensor.dtype.name)) }
    let function = isUntyped ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2"
    graph.setConstruction(
      ObjectNode(
        form: .call, callable: try global("torch._utils", function),
        arguments: try tuple(arguments)),
      of: id)
  }

  /// Adds the persistent id of a storage under its new key: `('storage', class, key, location,
  /// numel)`.
  ///
  /// All uses share one str.
  private mutating func persistent(
    _ id: StorageID, _ dtype: DType?
  ) throws(CheckpointError) -> NodeID {
    let storage = graph[id]
    let storageClass: NodeID
    if let dtype {
      guard let name = StorageClass.name(of: dtype) else {
        throw CheckpointError(
          .unsupported, "tensor '\(storage.key)' is of type \(dtype.name), which PyTorch lacks")
      }
      storageClass = try global("torch", name)
    } else {
      storageClass = try global("torch.storage", "UntypedStorage")
    }
    let key = try key(of: id)
    let elementCount = storage.byteCount / (dtype?.byteCount ?? 1)
    let parts = [
      try constant("storage"), storageClass, key, try constant(storage.location),
      try graph.add(.int(elementCount)),
    ]
    return try graph.add(.persistent(tuple(parts)))
  }

  private mutating func key(of id: StorageID) throws(CheckpointError) -> NodeID {
    if let known = keys[id] { return known }
    let key = String(nextKey)
    nextKey += 1
    graph.setKey(key, of: id)
    let node = try graph.addString(key)
    keys[id] = node
    return node
  }

  /// Adds the empty dict of backward hooks; every tensor has its own.
  private mutating func hooks() throws(CheckpointError) -> NodeID {
    try graph.add(
      ObjectNode(
        form: .call, callable: global("collections", "OrderedDict"),
        arguments: TensorGraph.emptyTuple))
  }

  private mutating func ints(_ values: [Int]) throws(CheckpointError) -> NodeID {
    var items: [NodeID] = []
    for value in values { items.append(try graph.add(.int(value))) }
    return try tuple(items)
  }

  private mutating func tuple(_ items: [NodeID]) throws(CheckpointError) -> NodeID {
    guard !items.isEmpty else { return TensorGraph.emptyTuple }
    return try graph.add(.tuple(graph.addChildren(items[...])))
  }

  private mutating func global(
    _ module: String, _ name: String
  ) throws(CheckpointError) -> NodeID {
    let dotted = "\(module).\(name)"
    if let known = globals[dotted] { return known }
    let node = try graph.add(.global(module: constant(module), name: constant(name)))
    globals[dotted] = node
    return node
  }

  /// Adds a str that is one constant of the program.
  private mutating func constant(_ text: String) throws(CheckpointError) -> NodeID {
    if let known = constants[text] { return known }
    let node = try graph.addString(text)
    constants[text] = node
    return node
  }
}
