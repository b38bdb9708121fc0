package import CkptBase

/// The order in which a program can make the objects of a graph.
extension TensorGraph {
  /// Checks that no object is needed to make itself.
  ///
  /// Pickles from protocol 4 on make a set first and fill it later (`fillsSetsLater`), so it can hold
  /// objects that were made from it. Below, a set is made from a list of its items.
  ///
  /// - Throws: `malformed` if one is.
  package func requireOrder(fillsSetsLater: Bool) throws(CheckpointError) {
    enum State: UInt8 { case unseen, open, done }
    var states = [State](repeating: .unseen, count: nodeCount)
    var pending: [(id: NodeID, isLeaving: Bool)] = []
    for index in 0..<nodeCount
    where states[index] == .unseen && hasPrerequisites(NodeID(index: index), fillsSetsLater) {
      pending.append((NodeID(index: index), false))
      while let (id, isLeaving) = pending.popLast() {
        let place = self.index(of: id)
        if isLeaving {
          states[place] = .done
          continue
        }
        switch states[place] {
        case .done: continue
        case .open:
          throw CheckpointError(
            .malformed, "an object is made from itself, which no pickle describes")
        case .unseen: break
        }
        states[place] = .open
        pending.append((id, true))
        forEachPrerequisite(of: id) { needed in
          if states[self.index(of: needed)] != .done, hasPrerequisites(needed, fillsSetsLater) {
            pending.append((needed, false))
          }
        }
      }
    }
  }

  /// Whether a node needs other nodes to exist first.
  private func hasPrerequisites(_ id: NodeID, _ fillsSetsLater: Bool) -> Bool {
    switch self[id] {
    case .tuple, .frozenSet, .global, .persistent, .object, .bytes: true
    case .set: !fillsSetsLater
    default: false
    }
  }

  /// Calls `body` with each node that a node needs first.
  private func forEachPrerequisite(of id: NodeID, _ body: (NodeID) -> Void) {
    switch self[id] {
    case .tuple(let run), .set(let run), .frozenSet(let run): for id in self[run] { body(id) }
    case .global(let module, let name):
      body(module)
      body(name)
    case .persistent(let value): body(value)
    case .object(let object):
      body(self[object].callable)
      body(self[object].arguments)
      if let keywords = self[object].keywords { body(keywords) }
    case .bytes: if let spelling = spellings[id] { body(spelling) }
    default: return
    }
  }
}
