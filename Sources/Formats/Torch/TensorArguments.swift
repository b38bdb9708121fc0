internal import Bytes
internal import Graph

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
  func storage(_ index: Int) throws(FormatError) -> NodeID { try item(index, "a storage") }

  /// A number of elements, not negative.
  func size(_ index: Int) throws(FormatError) -> Int {
    guard let value = graph.int(try item(index, "an int")), value >= 0 else {
      throw wrong(index, "an int that is not negative")
    }
    return value
  }

  /// A `torch.Size` or tuple of numbers of elements.
  func sizes(_ index: Int) throws(FormatError) -> [Int] {
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
  func flag(_ index: Int) throws(FormatError) -> Bool {
    guard case .bool(let value) = graph[try item(index, "a bool")] else {
      throw wrong(index, "a bool")
    }
    return value
  }

  /// A dtype, such as the global `torch.float32`.
  func dtype(_ index: Int) throws(FormatError) -> DType {
    let id = try item(index, "a dtype")
    guard case .global(_, let name) = graph[id],
      let dtype = DType(rawValue: graph.name(name) ?? "")
    else { throw wrong(index, "a dtype that is known") }
    return dtype
  }

  /// PyTorch's lazy conjugation and negation, from a dict that may be missing or `None`.
  func lazyFlags(_ index: Int) throws(FormatError) -> (isConjugated: Bool, isNegated: Bool) {
    guard index < items.count, let flags = graph.entries(of: items[index]) else {
      return (false, false)
    }
    guard flags.count <= Limits.knownArguments else { throw wrong(index, "a dict of flags") }
    func isSet(_ name: StaticString) -> Bool {
      flags.contains { graph.text(of: $0.key, equals: name) && $0.value == TensorGraph.true }
    }
    return (isSet("conj"), isSet("neg"))
  }

  private func item(_ index: Int, _ expected: String) throws(FormatError) -> NodeID {
    guard index < items.count else { throw wrong(index, expected) }
    return items[index]
  }

  private func wrong(_ index: Int, _ expected: String) -> FormatError {
    let found = index < items.count ? graph.description(of: items[index], limit: 60) : "nothing"
    return FormatError(
      .malformed, "argument \(index) of \(function) is \(found), expected \(expected)")
  }
}
