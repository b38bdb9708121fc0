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

  /// Puts `entries` in the place of all that a node has; returns whether it is one with entries.
  ///
  /// Everything else about the node stays: its class, its identity, the attributes of an
  /// `OrderedDict`. Takes time in proportion to the entries; keys must be different from each other.
  package mutating func setEntries(
    _ entries: [(key: NodeID, value: NodeID)], of id: NodeID
  ) -> Bool {
    let children = entries.flatMap { [$0.key, $0.value] }
    return changeEntries(of: id) { graph, run in
      if case .object(let object) = graph[id], !graph.initialEntries(of: graph[object]).isEmpty {
        graph[object].arguments = Self.emptyTuple
      }
      run = graph.addChildren(children[...])
    }
  }

  /// Puts `elements` in the place of all that a list has; returns whether the node is one.
  package mutating func setElements(_ elements: [NodeID], of id: NodeID) -> Bool {
    guard case .list = self[id] else { return false }
    replace(id, with: .list(addChildren(elements[...])))
    return true
  }

  /// Changes the text of a str; returns whether the node is one.
  ///
  /// Every reference to it sees the change: a key that is in two dicts stays one object.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func setText(_ text: String, of id: NodeID) throws(FormatError) -> Bool {
    guard case .string = self[id] else { return false }
    replace(id, with: .string(try addBytes(Array(text.utf8))))
    return true
  }

  /// Adds an entry at the end; returns whether the node has entries.
  package mutating func appendEntry(key: NodeID, value: NodeID, to id: NodeID) -> Bool {
    changeEntries(of: id) { graph, run in graph.append([key, value], to: &run) }
  }

  /// Replaces the value of the entry with exactly that key; returns whether there is one.
  package mutating func setValue(_ value: NodeID, forKey key: NodeID, in id: NodeID) -> Bool {
    var isFound = false
    _ = changeEntries(of: id) { graph, run in
      var items = Array(graph[run])
      for index in stride(from: 0, to: items.count, by: 2) where items[index] == key {
        items[index + 1] = value
        isFound = true
      }
      graph.shorten(&run, to: items)
    }
    return isFound
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
    case .object(let object) where entries(of: id) != nil:
      var pairs = self[object].pairs
      change(&self, &pairs)
      self[object].pairs = pairs
    default: return false
    }
    return true
  }
}
