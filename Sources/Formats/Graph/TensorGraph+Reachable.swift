extension TensorGraph {
  /// Every node that can be reached from `roots`, each once, in the order of a depth-first walk
  /// from left to right; strings that name globals included.
  ///
  /// The walk keeps its own stack: nesting in a file may be as deep as the file is long.
  public func reachable(from roots: [NodeID]) -> [NodeID] {
    var seen = [Bool](repeating: false, count: nodeCount)
    var order: [NodeID] = []
    var pending = Array(roots.reversed())
    while let id = pending.popLast() {
      guard !seen[Int(id.index)] else { continue }
      seen[Int(id.index)] = true
      order.append(id)
      forEachReference(of: id, backwards: true) { pending.append($0) }
    }
    return order
  }

  /// Calls `body` with every node that a node refers to, in the order a pickle writes them.
  package func forEachReference(
    of id: NodeID, backwards: Bool = false, _ body: (NodeID) -> Void
  ) {
    var references: [NodeID] = []
    switch self[id] {
    case .none, .bool, .int, .largeInt, .float, .string, .byteArray: return
    case .bytes:
      if let spelling = spellings[id] { body(spelling) }
      return
    case .tuple(let run), .list(let run), .dict(let run), .set(let run), .frozenSet(let run):
      if backwards {
        for child in self[run].reversed() { body(child) }
      } else {
        for child in self[run] { body(child) }
      }
      return
    case .global(let module, let name): references = [module, name]
    case .persistent(let value): references = [value]
    case .object(let object): references = self.references(of: self[object])
    case .tensor(let tensor):
      switch self[tensor].origin {
      case .plain: return
      case .call(let object): references = self.references(of: self[object])
      case .storage(let id): references = [id]
      }
    }
    if backwards { references.reverse() }
    for child in references { body(child) }
  }

  private func references(of object: ObjectNode) -> [NodeID] {
    var references = [object.callable, object.arguments]
    if let keywords = object.keywords { references.append(keywords) }
    references += self[object.items]
    references += self[object.pairs]
    if let state = object.state { references.append(state) }
    return references
  }
}

extension TensorGraph {
  /// The tensors that the object holds, in the order in which a pickle of it meets them.
  package func reachableTensors() -> [TensorID] {
    reachable(from: [root]).compactMap { id in
      guard case .tensor(let tensor) = self[id] else { return nil }
      return tensor
    }
  }
}
