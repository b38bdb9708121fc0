extension TensorGraph {
  /// Returns every node that `roots` reach, each once, in depth-first order from left to right,
  /// including the strings that name globals.
  ///
  /// The walk has its own stack, because nesting can be as deep as the file is long.
  package func reachable(from roots: [NodeID]) -> [NodeID] {
    var seen = [Bool](repeating: false, count: nodeCount)
    var order: [NodeID] = []
    var pending = Array(roots.reversed())
    while let id = pending.popLast() {
      guard !seen[Int(id.index)] else { continue }
      seen[Int(id.index)] = true
      order.append(id)
      forEachReference(of: id, backwards: true) { if !seen[Int($0.index)] { pending.append($0) } }
    }
    return order
  }

  /// For every node, by index, whether `roots` reach it.
  package func isReachable(from roots: [NodeID]) -> [Bool] {
    var seen = [Bool](repeating: false, count: nodeCount)
    var pending = roots
    for root in roots { seen[Int(root.index)] = true }
    while let id = pending.popLast() {
      forEachReference(of: id) { child in
        guard !seen[Int(child.index)] else { return }
        seen[Int(child.index)] = true
        pending.append(child)
      }
    }
    return seen
  }

  /// Calls `body` with every node that a node refers to, in pickle order.
  @inline(__always)
  package func forEachReference(
    of id: NodeID, backwards: Bool = false, _ body: (NodeID) -> Void
  ) {
    switch self[id] {
    case .none, .bool, .int, .largeInt, .float, .string, .byteArray: return
    case .bytes: if let spelling = spellings[id] { body(spelling) }
    case .tuple(let run), .list(let run), .dict(let run), .set(let run), .frozenSet(let run):
      forEachChild(in: run, backwards: backwards, body)
    case .global(let module, let name):
      body(backwards ? name : module)
      body(backwards ? module : name)
    case .persistent(let value): body(value)
    case .object(let object): forEachReference(of: object, backwards: backwards, body)
    case .tensor(let tensor):
      switch tensors[index(of: tensor)].origin {
      case .plain: return
      case .call(let object): forEachReference(of: object, backwards: backwards, body)
      case .storage(let id): body(id)
      }
    }
  }

  @inline(__always)
  private func forEachChild(in run: NodeRun, backwards: Bool, _ body: (NodeID) -> Void) {
    if backwards {
      for index in run.range.reversed() { body(children[index]) }
    } else {
      for index in run.range { body(children[index]) }
    }
  }

  @inline(__always)
  private func forEachReference(
    of id: ObjectID, backwards: Bool, _ body: (NodeID) -> Void
  ) {
    let object = objects[Int(id.index)]
    guard backwards else {
      body(object.callable)
      body(object.arguments)
      if let keywords = object.keywords { body(keywords) }
      forEachChild(in: object.items, backwards: false, body)
      forEachChild(in: object.pairs, backwards: false, body)
      if let state = object.state { body(state) }
      return
    }
    if let state = object.state { body(state) }
    forEachChild(in: object.pairs, backwards: true, body)
    forEachChild(in: object.items, backwards: true, body)
    if let keywords = object.keywords { body(keywords) }
    body(object.arguments)
    body(object.callable)
  }
}

extension TensorGraph {
  /// Returns the tensors of the object, in pickle order.
  package func reachableTensors() -> [TensorID] {
    reachable(from: [root]).compactMap { id in
      guard case .tensor(let tensor) = self[id] else { return nil }
      return tensor
    }
  }
}

extension TensorGraph {
  /// For every node, by index, whether it reaches a tensor that `isWanted`.
  ///
  /// It follows all references backwards from the tensors. So cycles and sharing cost nothing
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
