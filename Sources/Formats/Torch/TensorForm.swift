internal import CkptBase
internal import CkptGraph

/// What a call says of the tensor it rebuilds, before its storage is looked up.
struct TensorForm {
  /// The persistent id of the storage, `nil` on the meta device.
  var storage: NodeID?
  /// Where the first element lies, in elements.
  var offset: Int
  /// The number of elements along each dimension.
  var shape: [Int]
  /// The distance between neighbours along each dimension, in elements.
  var strides: [Int]
  /// Whether autograd records operations on it.
  var requiresGradient: Bool
  /// The dtype, where the storage's class does not tell.
  var dtype: DType?
  /// Whether the lazy conjugation is on.
  var isConjugated = false
  /// Whether the lazy negation is on.
  var isNegated = false

  /// Reads the arguments of a function of `torch/_utils.py` that makes a tensor of one storage;
  /// `nil` for any other function.
  ///
  /// - Throws: `malformed` for arguments of another form.
  init?(of function: String, _ arguments: TensorArguments) throws(CheckpointError) {
    switch function {
    case "_rebuild_tensor":
      try self.init(view: arguments, requiresGradient: false)
    case "_rebuild_tensor_v2":
      try self.init(view: arguments, requiresGradient: arguments.flag(4))
      (isConjugated, isNegated) = try arguments.lazyFlags(6)
    case "_rebuild_tensor_v3":
      try self.init(view: arguments, requiresGradient: arguments.flag(4))
      dtype = try arguments.dtype(6)
      (isConjugated, isNegated) = try arguments.lazyFlags(7)
    case "_rebuild_qtensor":
      try self.init(view: arguments, requiresGradient: arguments.flag(5))
    case "_rebuild_meta_tensor_no_storage":
      try self.init(meta: arguments)
    default: return nil
    }
  }

  /// The first four arguments that these functions share: storage, offset, size, stride.
  private init(view arguments: TensorArguments, requiresGradient: Bool) throws(CheckpointError) {
    storage = try arguments.storage(0)
    offset = try arguments.size(1)
    shape = try arguments.sizes(2)
    strides = try arguments.sizes(3)
    self.requiresGradient = requiresGradient
  }

  /// The arguments of a tensor without data: dtype, size, stride, requires_grad.
  private init(meta arguments: TensorArguments) throws(CheckpointError) {
    dtype = try arguments.dtype(0)
    offset = 0
    shape = try arguments.sizes(1)
    strides = try arguments.sizes(2)
    requiresGradient = try arguments.flag(3)
  }
}

/// The arguments of a function that rebuilds a tensor, read by position.
struct TensorArguments {
  private let graph: TensorGraph
  private let items: [NodeID]
  private let function: String

  init(_ graph: TensorGraph, _ items: [NodeID], of function: String) {
    self.graph = graph
    self.items = items
    self.function = function
  }

  /// A storage.
  func storage(_ index: Int) throws(CheckpointError) -> NodeID { try item(index, "a storage") }

  /// A number of elements, not negative.
  func size(_ index: Int) throws(CheckpointError) -> Int {
    guard let value = graph.int(try item(index, "an int")), value >= 0 else {
      throw wrong(index, "an int that is not negative")
    }
    return value
  }

  /// A `torch.Size` or tuple of numbers of elements.
  func sizes(_ index: Int) throws(CheckpointError) -> [Int] {
    var id = try item(index, "a tuple of ints")
    if case .object(let object) = graph[id],
      graph.isGlobal(graph[object].callable, "torch", "Size"),
      let inner = graph.tuple(graph[object].arguments)?.first
    {
      id = inner
    }
    guard let elements = graph.tuple(id), elements.count <= Limits.dimensions else {
      throw wrong(index, "a tuple of at most \(Limits.dimensions) ints")
    }
    var sizes: [Int] = []
    for element in elements {
      guard let size = graph.int(element), size >= 0 else {
        throw wrong(index, "a tuple of ints that are not negative")
      }
      sizes.append(size)
    }
    return sizes
  }

  /// `True` or `False`.
  func flag(_ index: Int) throws(CheckpointError) -> Bool {
    guard case .bool(let value) = graph[try item(index, "a bool")] else {
      throw wrong(index, "a bool")
    }
    return value
  }

  /// A dtype, such as the global `torch.float32`.
  func dtype(_ index: Int) throws(CheckpointError) -> DType {
    let id = try item(index, "a dtype")
    guard case .global(_, let name) = graph[id],
      let dtype = DType(rawValue: graph.name(name) ?? "")
    else { throw wrong(index, "a dtype that is known") }
    return dtype
  }

  /// PyTorch's lazy conjugation and negation, from a dict that may be missing or `None`.
  func lazyFlags(_ index: Int) throws(CheckpointError) -> (isConjugated: Bool, isNegated: Bool) {
    guard index < items.count, let flags = graph.entries(of: items[index]) else {
      return (false, false)
    }
    guard flags.count <= Limits.knownArguments else { throw wrong(index, "a dict of flags") }
    func isSet(_ name: StaticString) -> Bool {
      flags.contains { graph.text(of: $0.key, equals: name) && $0.value == TensorGraph.true }
    }
    return (isSet("conj"), isSet("neg"))
  }

  private func item(_ index: Int, _ expected: String) throws(CheckpointError) -> NodeID {
    guard index < items.count else { throw wrong(index, expected) }
    return items[index]
  }

  private func wrong(_ index: Int, _ expected: String) -> CheckpointError {
    let found = index < items.count ? graph.description(of: items[index], limit: 60) : "nothing"
    return CheckpointError(
      .malformed, "argument \(index) of \(function) is \(found), expected \(expected)")
  }
}
