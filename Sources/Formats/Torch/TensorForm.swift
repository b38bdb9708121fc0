internal import CkptBase
internal import CkptGraph

/// The arguments of a call that rebuilds a tensor, before its storage is looked up.
struct TensorForm {
  /// A function of `torch/_utils.py` that makes a tensor from one storage, or from none, or the
  /// function of Ascend's `torch_npu`.
  enum Function: String {
    case tensor = "_rebuild_tensor"
    case tensorV2 = "_rebuild_tensor_v2"
    case tensorV3 = "_rebuild_tensor_v3"
    case quantized = "_rebuild_qtensor"
    case meta = "_rebuild_meta_tensor_no_storage"
    case npu = "_rebuild_npu_tensor"
  }

  /// The persistent id of the storage; `nil` on the meta device.
  var storage: NodeID?
  /// The offset of the first element, in elements.
  var offset: Int
  /// The number of elements along each dimension.
  var shape: [Int]
  /// The distance between adjacent elements along each dimension, in elements.
  var strides: [Int]
  /// Whether autograd records operations on the tensor.
  var requiresGradient: Bool
  /// The dtype, if the class of the storage does not give it.
  var dtype: DType?
  /// Whether the tensor is lazily conjugated.
  var isConjugated = false
  /// Whether the tensor is lazily negated.
  var isNegated = false

  /// Reads the arguments of a function.
  ///
  /// - Throws: `malformed` for invalid arguments.
  init(
    of function: Function, _ arguments: inout TensorArguments, in graph: TensorGraph
  ) throws(CheckpointError) {
    if function == .meta {
      dtype = try arguments.dtype(0, graph)
      offset = 0
      shape = try arguments.sizes(1, graph)
      strides = try arguments.sizes(2, graph)
      requiresGradient = try arguments.flag(3, graph)
      return
    }
    storage = try arguments.item(0, "a storage", graph)
    offset = try arguments.size(1, graph)
    shape = try arguments.sizes(2, graph)
    strides = try arguments.sizes(3, graph)
    switch function {
    case .tensor, .meta: requiresGradient = false
    case .tensorV2:
      requiresGradient = try arguments.flag(4, graph)
      (isConjugated, isNegated) = try arguments.lazyFlags(6, graph)
    case .tensorV3:
      requiresGradient = try arguments.flag(4, graph)
      dtype = try arguments.dtype(6, graph)
      (isConjugated, isNegated) = try arguments.lazyFlags(7, graph)
    case .quantized: requiresGradient = try arguments.flag(5, graph)
    // The last argument is the device's memory format, which the storage is not in.
    case .npu: requiresGradient = try arguments.flag(4, graph)
    }
  }
}

extension TensorForm {
  /// Counts bytes where a byte has several elements of `dtype`; returns the shape in elements then.
  ///
  /// - Throws: `unsupported` for a view of which not every byte belongs to it alone.
  mutating func packElements(of dtype: DType) throws(CheckpointError) -> [Int]? {
    let count = dtype.elementsPerByte
    guard count > 1 else { return nil }
    try Tensor.requireSize(shape, of: dtype)
    let elementShape = shape
    guard offset.isMultiple(of: count),
      elementShape.contains(0) || strides == Tensor.packedStrides(elementShape)
    else {
      throw CheckpointError(
        .unsupported, "a \(dtype.name) tensor \(shape) that is not packed in row-major order")
    }
    let last = shape.last ?? 1
    if last.isMultiple(of: count) {
      shape[shape.count - 1] = last / count
    } else {
      shape = [(shape.reduce(1, *) + count - 1) / count]
    }
    strides = Tensor.packedStrides(shape)
    offset /= count
    return elementShape
  }
}

/// The arguments of a function that rebuilds a tensor, read by position.
struct TensorArguments {
  /// The tuple of arguments.
  var items: NodeRun
  /// The name of the function, for messages.
  var function: String
  private var dimensions = DimensionInterner()
  private var scratch: [Int] = []

  /// Creates a reader without arguments.
  ///
  /// Reusing one reader stores equal shapes once.
  init() {
    items = .empty
    function = ""
  }

  /// Reads a number of elements that is not negative.
  func size(_ index: Int, _ graph: TensorGraph) throws(CheckpointError) -> Int {
    guard let value = graph.int(try item(index, "an int", graph)), value >= 0 else {
      throw wrong(index, "an int that is not negative", graph)
    }
    return value
  }

  /// Reads a `torch.Size`, or a tuple of numbers of elements.
  mutating func sizes(_ index: Int, _ graph: TensorGraph) throws(CheckpointError) -> [Int] {
    var id = try item(index, "a tuple of ints", graph)
    if case .object(let object) = graph[id],
      graph.isGlobal(graph[object].callable, "torch", "Size"),
      let inner = graph.tuple(graph[object].arguments)?.first
    {
      id = inner
    }
    guard case .tuple(let run) = graph[id], run.count <= Limits.dimensions else {
      throw wrong(index, "a tuple of at most \(Limits.dimensions) ints", graph)
    }
    scratch.removeAll(keepingCapacity: true)
    for element in graph[run] {
      guard let size = graph.int(element), size >= 0 else {
        throw wrong(index, "a tuple of ints that are not negative", graph)
      }
      scratch.append(size)
    }
    return dimensions.interned(scratch)
  }

  /// Reads `True` or `False`.
  func flag(_ index: Int, _ graph: TensorGraph) throws(CheckpointError) -> Bool {
    guard case .bool(let value) = graph[try item(index, "a bool", graph)] else {
      throw wrong(index, "a bool", graph)
    }
    return value
  }

  /// Reads a dtype, such as the global `torch.float32`.
  func dtype(_ index: Int, _ graph: TensorGraph) throws(CheckpointError) -> DType {
    let id = try item(index, "a dtype", graph)
    guard case .global(_, let name) = graph[id],
      let dtype = DType(rawValue: graph.name(name) ?? "")
    else { throw wrong(index, "a known dtype", graph) }
    return dtype
  }

  /// Reads PyTorch's lazy conjugation and negation from a dict, which can be missing or `None`.
  func lazyFlags(
    _ index: Int, _ graph: TensorGraph
  ) throws(CheckpointError) -> (isConjugated: Bool, isNegated: Bool) {
    guard index < items.count,
      let flags = graph.entries(of: graph.child(index, of: items))
    else { return (false, false) }
    guard flags.count <= Limits.knownArguments else {
      throw wrong(index, "a dict of flags", graph)
    }
    func isSet(_ name: String) -> Bool {
      flags.contains { graph.text(of: $0.key, equals: name) && $0.value == TensorGraph.true }
    }
    return (isSet("conj"), isSet("neg"))
  }

  /// Returns the argument at a position.
  ///
  /// `expected` describes it for the message.
  func item(
    _ index: Int, _ expected: String, _ graph: TensorGraph
  ) throws(CheckpointError) -> NodeID {
    guard index < items.count else { throw wrong(index, expected, graph) }
    return graph.child(index, of: items)
  }

  private func wrong(_ index: Int, _ expected: String, _ graph: TensorGraph) -> CheckpointError {
    let found =
      index < items.count
      ? graph.description(of: graph.child(index, of: items), limit: 60) : "nothing"
    return CheckpointError(
      .malformed, "argument \(index) of \(function) is \(found), expected \(expected)")
  }
}
