package import CkptBase
package import CkptGraph

/// Finds the tensors among the calls of a pickle, and connects them to their storages.
///
/// The functions are those of `torch/_utils.py` of PyTorch 0.1 to 2.15. An unknown call stays a
/// call. Its storages become tensors of their own, so that no data is lost.
package struct TensorRecognizer {
  var graph: TensorGraph
  private let source: any StorageSource
  /// The storages of the graph, by key.
  private var storages = TextTable()
  private var storageIDs = PersistentStorage.Reader()
  private var arguments = TensorArguments()
  /// The result of classifying each class or function seen so far.
  private var callables: [NodeID: Callable] = [:]
  /// For every node, by index, whether it is a persistent id that a reachable tensor uses as its
  /// storage.
  private var isBound: [Bool] = []
  /// For every node, by index, whether it is part of the object.
  ///
  /// A tensor that the pickle throws away has no place in other formats. Its storage can still
  /// become a tensor of its own.
  private var isReachable: [Bool] = []
  /// The number of dimensions of all tensors in total.
  private var dimensionCount = 0
  /// The calls of `torch._utils` with tensors among their arguments.
  private var holders: [(id: NodeID, function: String)] = []

  /// The elements of NumPy arrays that stand for tensors, by the nodes that have them.
  var arraySources: [NodeID: MemorySource<UInt8>] = [:]

  /// The meaning of a class or function that is called.
  private enum Callable {
    /// Unknown: its calls stay as they are.
    case unknown
    /// Makes a tensor from one storage.
    case tensor(TensorForm.Function)
    /// Makes a tensor of a subclass.
    case subclass
    /// A function of `torch._utils` that can have tensors as arguments.
    case holder(String)
    /// A tensor class of PyTorch 0.1 to 0.3.
    case ancient(String)
  }

  /// Creates a recognizer for the graph of an unpickler.
  package init(graph: consuming TensorGraph, storages source: any StorageSource) {
    self.graph = graph
    self.source = source
  }

  /// Returns the graph with its tensors.
  package consuming func finish() -> TensorGraph { graph }

  /// Finds the tensors.
  ///
  /// - Throws: `malformed` for a tensor outside of its storage and for invalid arguments;
  ///   `unsupported` for storages of unknown classes.
  package mutating func recognize() throws(CheckpointError) {
    isReachable = graph.isReachable(from: [graph.root])
    isBound = Array(repeating: false, count: graph.nodeCount)
    let isKept =
      graph.discarded.isEmpty
      ? isReachable : graph.isReachable(from: [graph.root] + graph.discarded)
    for index in 0..<graph.nodeCount where isKept[index] {
      let id = NodeID(index: index)
      guard case .object(let object) = graph[id] else { continue }
      try recognize(id, object)
    }
    // A part gets its name after the kind of its tensor, so all tensors must be known first.
    for (id, function) in holders { try nameParts(of: id, function) }
    for index in 0..<graph.nodeCount where isKept[index] {
      let id = NodeID(index: index)
      guard case .persistent(let value) = graph[id], !isBound[index] else { continue }
      try addBareStorage(id, value)
    }
  }

  private mutating func recognize(_ id: NodeID, _ object: ObjectID) throws(CheckpointError) {
    let call = graph[object]
    let callable = callable(call.callable)
    if case .unknown = callable { return }
    guard case .tuple(let items) = graph[call.arguments], items.count <= Limits.knownArguments
    else { return }
    switch callable {
    case .unknown: return
    case .tensor(let function):
      try add(try form(of: function, items), node: id, object)
      if function == .quantized { holders.append((id, function.rawValue)) }
    case .subclass: try recognizeSubclass(id, object, Array(graph[items]))
    case .holder(let function): holders.append((id, function))
    case .ancient(let name): try recognizeAncient(name, node: id, object)
    }
  }

  /// Classifies a class or function, once.
  private mutating func callable(_ id: NodeID) -> Callable {
    if let known = callables[id] { return known }
    let callable = newCallable(id)
    callables[id] = callable
    return callable
  }

  private func newCallable(_ id: NodeID) -> Callable {
    guard let (module, name) = graph.shortGlobal(id), module.hasPrefix("torch") else {
      return .unknown
    }
    switch (module, name) {
    case ("torch._tensor", "_rebuild_from_type_v2"), ("torch.tensor", "_rebuild_from_type_v2"),
      ("torch.tensor", "_rebuild_from_type"), ("torch._tensor", "_rebuild_from_type"):
      return .subclass
    case (_, TensorForm.Function.npu.rawValue) where module.hasPrefix("torch_npu"):
      return .tensor(.npu)
    case ("torch._utils", _):
      return TensorForm.Function(rawValue: name).map { .tensor($0) } ?? .holder(name)
    default: return StorageClass.dtype(ofTensorClass: name) == nil ? .unknown : .ancient(name)
    }
  }

  /// Reads the tensor that a call of `function` describes.
  private mutating func form(
    of function: TensorForm.Function, named name: String? = nil, _ items: NodeRun
  ) throws(CheckpointError) -> TensorForm {
    arguments.items = items
    arguments.function = name ?? function.rawValue
    return try TensorForm(of: function, &arguments, in: graph)
  }

  // MARK: Dense tensors

  /// Makes `node` the tensor that a form describes.
  private mutating func add(
    _ form: TensorForm, node: NodeID, _ object: ObjectID
  ) throws(CheckpointError) {
    var form = form
    dimensionCount += form.shape.count
    guard
      dimensionCount <= Limits.dimensionsAtLeast
        + Limits.dimensionsPerTensor * graph.tensors.count
    else {
      throw CheckpointError(
        .limitExceeded,
        "\(graph.tensors.count) tensors have more than \(dimensionCount) dimensions in total")
    }
    let bound = try form.storage.map { id throws(CheckpointError) in
      try bindStorage(id, to: node)
    }
    let dtype = form.dtype ?? bound?.dtype ?? .uint8
    let elementShape = try form.packElements(of: dtype)
    var tensor = Tensor(
      node: node, dtype: dtype, shape: form.shape, strides: form.strides,
      offset: try bound?.offset(form.offset, of: dtype) ?? form.offset, storage: bound?.id,
      requiresGradient: form.requiresGradient, isConjugated: form.isConjugated,
      isNegated: form.isNegated, origin: .call(object))
    tensor.elementShape = elementShape
    try tensor.check(storageByteCount: bound?.bytes.upperBound)
    graph.add(tensor)
  }

  /// Reads a tensor subclass or a tensor with attributes: `(function, type, arguments, state)`.
  private mutating func recognizeSubclass(
    _ id: NodeID, _ object: ObjectID, _ items: [NodeID]
  ) throws(CheckpointError) {
    guard items.count >= 3, case .global(let module, let name) = graph[items[0]],
      case .tuple(let inner) = graph[items[2]], inner.count <= Limits.knownArguments
    else { return }
    if graph.text(of: module, equals: "torch._utils"),
      let function = TensorForm.Function(rawValue: graph.name(name) ?? "")
    {
      try add(try form(of: function, inner), node: id, object)
      if items.count > 3 { graph.parts[id] = [Part(nil, items[3])] }
    } else {
      var parts = graph[inner].enumerated().map { Part(.index($0.offset), $0.element) }
      if items.count > 3 { parts += attributeParts(items[3]) }
      graph.parts[id] = parts
      if graph.text(of: name, equals: "_rebuild_wrapper_subclass") {
        holders.append((id, "_rebuild_wrapper_subclass"))
      }
    }
  }

  /// Reads a tensor of PyTorch 0.1 to 0.3: `torch.FloatTensor()` with the state `(storage, offset,
  /// size, stride)`.
  private mutating func recognizeAncient(
    _ name: String, node: NodeID, _ object: ObjectID
  ) throws(CheckpointError) {
    guard let state = graph[object].state, case .tuple(let items) = graph[state], items.count == 4,
      case .persistent = graph[graph.child(0, of: items)]
    else { return }
    try add(try form(of: .tensor, named: name, items), node: node, object)
  }

  // MARK: Storages

  /// A storage that a persistent id names, or the part of one.
  private struct BoundStorage {
    var id: StorageID
    /// The dtype of its class, `nil` for an untyped one.
    var dtype: DType?
    /// The bytes of the storage that the id stands for.
    var bytes: Range<Int>

    /// The place in the whole storage of an element in the part, in elements of `dtype`.
    ///
    /// - Throws: `malformed` for a part that does not begin with an element.
    func offset(_ offset: Int, of dtype: DType) throws(CheckpointError) -> Int {
      guard bytes.lowerBound > 0 else { return offset }
      guard bytes.lowerBound.isMultiple(of: dtype.byteCount) else {
        throw CheckpointError(
          .malformed,
          "a view begins at byte \(bytes.lowerBound) of its storage, which is no multiple of "
            + "\(dtype.byteCount)")
      }
      return try offset.adding(
        bytes.lowerBound / dtype.byteCount, orThrow: "the offset of a tensor")
    }
  }

  private mutating func bindStorage(
    _ id: NodeID, to tensor: NodeID
  ) throws(CheckpointError) -> BoundStorage {
    guard case .persistent(let value) = graph[id] else {
      throw CheckpointError(.malformed, "the storage of a tensor is not a persistent id")
    }
    if isReachable[graph.index(of: tensor)] { isBound[graph.index(of: id)] = true }
    return try storage(storageIDs.read(value, in: graph))
  }

  private mutating func addBareStorage(_ id: NodeID, _ value: NodeID) throws(CheckpointError) {
    let bound = try storage(storageIDs.read(value, in: graph))
    let dtype = bound.dtype ?? .uint8
    graph.add(
      Tensor(
        node: id, dtype: dtype, shape: [bound.bytes.count / dtype.byteCount], strides: [1],
        offset: bound.bytes.lowerBound / dtype.byteCount, storage: bound.id,
        origin: .storage(id: value)))
  }

  private mutating func storage(
    _ announced: PersistentStorage
  ) throws(CheckpointError) -> BoundStorage {
    let byteCount = try announced.byteCount()
    let id: StorageID
    let key = announced.key
    let hash = TextTable.hash(key.utf8.span)
    let known = storages.number(hash: hash) {
      ExactString(graph.storages[$0].key) == ExactString(key)
    }
    if let known {
      id = StorageID(index: known)
    } else {
      id = graph.add(try source.storage(announced))
      _ = storages.update(graph.index(of: id), hash: hash) { _ in false }
    }
    let index = graph.index(of: id)
    guard graph.storages[index].byteCount == byteCount else {
      throw CheckpointError(
        .malformed,
        "storage '\(announced.key)' has \(graph[id].byteCount) bytes, the pickle says \(byteCount)")
    }
    guard graph.storages[index].location == announced.location else {
      throw CheckpointError(
        .malformed,
        "storage '\(announced.key)' is on '\(graph[id].location)', the pickle says also on "
          + "'\(announced.location)'")
    }
    let view = announced.view.map { view in
      view.lowerBound * announced.elementByteCount..<view.upperBound * announced.elementByteCount
    }
    return BoundStorage(id: id, dtype: announced.dtype, bytes: view ?? 0..<byteCount)
  }
}

extension Tensor {
  /// Checks that every element of the tensor lies in its storage.
  ///
  /// Overlapping and zero strides are legal: a small storage can describe any number of elements.
  ///
  /// - Parameter storageByteCount: the size of the storage in bytes; `nil` for a tensor without
  ///   one.
  /// - Throws: `malformed` if rank and strides disagree, a product overflows or an element lies
  ///   outside.
  package func check(storageByteCount: Int?) throws(CheckpointError) {
    guard shape.count == strides.count else {
      throw CheckpointError(
        .malformed, "a tensor has \(shape.count) dimensions and \(strides.count) strides")
    }
    try Tensor.requireSize(shape, of: dtype)
    guard let storageByteCount, !shape.contains(0) else { return }
    var last = offset
    for index in shape.indices {
      let reach = try (shape[index] - 1).multiplied(
        by: strides[index], orThrow: "a tensor's extent")
      last = try last.adding(reach, orThrow: "a tensor's extent")
    }
    guard last < storageByteCount / dtype.byteCount else {
      throw CheckpointError(
        .malformed,
        "a tensor reaches element \(last) of a storage that has "
          + "\(storageByteCount / dtype.byteCount)")
    }
  }
}
