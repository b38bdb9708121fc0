package import CkptBase

/// Dicts, including instances of dict subclasses.
extension TensorGraph {
  /// Returns the entries of a dict or of an instance of a dict subclass in order; `nil` for other
  /// nodes.
  ///
  /// `OrderedDict`, `defaultdict` and `Counter` are known by name. Any object whose pickle sets
  /// keys in it counts too.
  package func entries(of id: NodeID) -> [(key: NodeID, value: NodeID)]? {
    switch self[id] {
    case .dict(let run): return pairs(run)
    case .object(let objectID):
      guard isMapping(id) else { return nil }
      return initialEntries(of: self[objectID]) + pairs(self[objectID].pairs)
    default: return nil
    }
  }

  /// Whether a node is a dict, even an empty one.
  package func isMapping(_ id: NodeID) -> Bool {
    switch self[id] {
    case .dict: return true
    case .object(let objectID):
      let object = self[objectID]
      return object.pairs.count > 0 || isGlobal(object.callable, "collections", "OrderedDict")
        || isGlobal(object.callable, "collections", "defaultdict")
        || isGlobal(object.callable, "collections", "Counter")
    default: return false
    }
  }

  private func pairs(_ run: NodeRun) -> [(key: NodeID, value: NodeID)] {
    let items = self[run]
    return stride(from: items.startIndex, to: items.endIndex, by: 2).map {
      (items[$0], items[$0 + 1])
    }
  }

  /// Returns the entries of the constructor: `Counter({...})`, or `OrderedDict([[k, v], ...])` in
  /// pickles of Python 2.
  private func initialEntries(of object: ObjectNode) -> [(key: NodeID, value: NodeID)] {
    guard let last = tuple(object.arguments)?.last else { return [] }
    switch self[last] {
    case .dict(let run): return pairs(run)
    case .list(let run):
      return self[run].compactMap { item in
        let pair: NodeRun
        switch self[item] {
        case .list(let run), .tuple(let run): pair = run
        default: return nil
        }
        guard pair.count == 2 else { return nil }
        return (self.child(0, of: pair), self.child(1, of: pair))
      }
    default: return []
    }
  }
}

/// Changes to the entries of dicts and of instances of dict subclasses.
extension TensorGraph {
  /// Adds a dict with these entries.
  ///
  /// - Throws: `limitExceeded` if the graph is full.
  package mutating func addDict(
    _ entries: [(key: NodeID, value: NodeID)]
  ) throws(CheckpointError) -> NodeID {
    try add(.dict(addChildren(entries.flatMap { [$0.key, $0.value] }[...])))
  }

  /// Appends an entry.
  ///
  /// Returns whether the node has entries.
  package mutating func appendEntry(key: NodeID, value: NodeID, to id: NodeID) -> Bool {
    changeEntries(of: id) { graph, run in graph.append([key, value], to: &run) }
  }

  /// Replaces the values of the entries with exactly these keys.
  ///
  /// Returns whether all of them exist.
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

  /// Replaces keys and keeps their positions and values.
  ///
  /// Returns whether all of them existed. Two entries can then have equal keys, see
  /// ``hasEqualKeys(_:)``.
  package mutating func replaceKeys(_ keys: [NodeID: NodeID], in id: NodeID) -> Bool {
    var count = 0
    _ = changeEntries(of: id) { graph, run in
      var items = Array(graph[run])
      for index in stride(from: 0, to: items.count, by: 2) {
        guard let key = keys[items[index]] else { continue }
        items[index] = key
        count += 1
      }
      graph.shorten(&run, to: items)
    }
    return count == keys.count
  }

  /// Removes the entries with these keys.
  ///
  /// Returns whether all of them existed.
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

  /// Changes the run of keys and values of a node.
  ///
  /// Returns whether it has one.
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
