package import Bytes

/// Changing the entries of dicts and of instances of a dict's subclasses.
extension TensorGraph {
  /// Adds a dict with these entries.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func addDict(
    _ entries: [(key: NodeID, value: NodeID)]
  ) throws(FormatError) -> NodeID {
    try add(.dict(addChildren(entries.flatMap { [$0.key, $0.value] }[...])))
  }

  /// Adds an entry at the end; returns whether the node has entries.
  package mutating func appendEntry(key: NodeID, value: NodeID, to id: NodeID) -> Bool {
    changeEntries(of: id) { graph, run in graph.append([key, value], to: &run) }
  }

  /// Replaces the values of the entries with exactly these keys; returns whether all of them were
  /// there.
  package mutating func setValues(_ values: [NodeID: NodeID], in id: NodeID) -> Bool {
    var found: Set<NodeID> = []
    _ = changeEntries(of: id) { graph, run in
      var items = Array(graph[run])
      for index in stride(from: 0, to: items.count, by: 2) {
        guard let value = values[items[index]] else { continue }
        items[index + 1] = value
        found.insert(items[index])
      }
      graph.shorten(&run, to: items)
    }
    return found.count == values.count
  }

  /// Takes out the entries with these keys; returns whether all of them were there.
  package mutating func removeEntries(of id: NodeID, withKeys keys: Set<NodeID>) -> Bool {
    var count = 0
    _ = changeEntries(of: id) { graph, run in
      let items = Array(graph[run])
      var kept: [NodeID] = []
      for index in stride(from: 0, to: items.count, by: 2) {
        if keys.contains(items[index]) { count += 1 } else { kept += items[index...index + 1] }
      }
      graph.shorten(&run, to: kept)
    }
    return count == keys.count
  }

  /// Changes the run of keys and values of a node; returns whether it has one.
  private mutating func changeEntries(
    of id: NodeID, _ change: (inout TensorGraph, inout NodeRun) -> Void
  ) -> Bool {
    switch self[id] {
    case .dict(var run):
      change(&self, &run)
      replace(id, with: .dict(run))
    case .object(let object) where isMapping(id):
      var pairs = self[object].pairs
      change(&self, &pairs)
      self[object].pairs = pairs
    default: return false
    }
    return true
  }
}
