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
