/// Which nodes Python would call a dict.
extension TensorGraph {
  /// The entries of a dict or an instance of a dict's subclass in order, or `nil` for other nodes.
  ///
  /// `OrderedDict`, `defaultdict` and `Counter` are known by name; any object whose pickle sets
  /// keys in it counts as well.
  public func entries(of id: NodeID) -> [(key: NodeID, value: NodeID)]? {
    switch self[id] {
    case .dict(let run): return pairs(run)
    case .object(let objectID):
      guard isMapping(id) else { return nil }
      return initialEntries(of: self[objectID]) + pairs(self[objectID].pairs)
    default: return nil
    }
  }

  /// Whether a node has entries, which may be none.
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

  /// What the constructor was given: `Counter({...})`, or `OrderedDict([[k, v], ...])` as Python 2
  /// pickled it.
  private func initialEntries(of object: ObjectNode) -> [(key: NodeID, value: NodeID)] {
    guard let last = tuple(object.arguments)?.last else { return [] }
    switch self[last] {
    case .dict(let run): return pairs(run)
    case .list(let run):
      return self[run].compactMap { item in
        guard case .list(let pair) = self[item], pair.count == 2 else { return nil }
        return (self[pair][self[pair].startIndex], self[pair][self[pair].startIndex + 1])
      }
    default: return []
    }
  }
}
