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

extension TensorGraph {
  /// For every node, by index, whether a tensor can be reached from it that `isWanted`.
  ///
  /// Follows all references backwards from the tensors, so that cycles and sharing cost nothing
  /// extra: time and memory are linear in the number of references.
  package func nodesHoldingTensors(
    where isWanted: (TensorID) -> Bool = { _ in true }
  ) -> [Bool] {
    var starts = [Int32](repeating: 0, count: nodeCount + 1)
    forEachEdge { _, child in starts[Int(child.index) + 1] += 1 }
    for index in 0..<nodeCount { starts[index + 1] += starts[index] }
    var parents = [Int32](repeating: 0, count: Int(starts[nodeCount]))
    var next = starts
    forEachEdge { parent, child in
      parents[Int(next[Int(child.index)])] = parent.index
      next[Int(child.index)] += 1
    }
    var holds = [Bool](repeating: false, count: nodeCount)
    var pending = tensors.indices.filter { isWanted(TensorID(index: Int32($0))) }
      .map { tensors[$0].node.index }
    for node in pending { holds[Int(node)] = true }
    while let node = pending.popLast() {
      for edge in Int(starts[Int(node)])..<Int(starts[Int(node) + 1]) {
        let parent = parents[edge]
        if !holds[Int(parent)] {
          holds[Int(parent)] = true
          pending.append(parent)
        }
      }
    }
    return holds
  }

  private func forEachEdge(_ body: (_ parent: NodeID, _ child: NodeID) -> Void) {
    for index in 0..<nodeCount {
      let parent = NodeID(index: index)
      forEachReference(of: parent) { body(parent, $0) }
    }
  }
}
