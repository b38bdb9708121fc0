internal import Bytes
internal import Graph

/// The stack with its marks, and what the memo gives back to it.
extension Unpickler {
  mutating func push(_ id: NodeID) { stack.append(id) }

  func top() throws(FormatError) -> NodeID {
    guard stack.count > (marks.last ?? 0), let id = stack.last else { throw Self.underflow }
    return id
  }

  mutating func pop() throws(FormatError) -> NodeID {
    let id = try top()
    stack.removeLast()
    return id
  }

  /// Takes everything above the topmost mark.
  mutating func popToMark() throws(FormatError) -> ArraySlice<NodeID> {
    guard let mark = marks.popLast() else {
      throw FormatError(.malformed, "the operation needs a mark and there is none")
    }
    let taken = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return taken[...]
  }

  /// What the memo has under a number.
  mutating func recall(_ index: Int) throws(FormatError) -> NodeID {
    guard let id = memo.get(index) else {
      throw FormatError(.malformed, "memo entry \(index) is read before it is written")
    }
    return try occurrence(of: id)
  }

  /// A node for one more place of an object: the same, but for a persistent id, which has no identity
  /// and is a tensor's in one place and may stand for itself in another.
  mutating func occurrence(of id: NodeID) throws(FormatError) -> NodeID {
    guard case .persistent(let value) = graph[id] else { return id }
    return try graph.add(.persistent(value))
  }

  /// Drops the topmost mark or value.
  mutating func dropTop() throws(FormatError) {
    if let mark = marks.last, mark == stack.count {
      marks.removeLast()
    } else {
      noteIfCall(try pop())
    }
  }

  /// Keeps a call in mind that was taken off the stack without being used.
  mutating func noteIfCall(_ id: NodeID) {
    if case .object = graph[id] { poppedCalls.append(id) }
  }

  /// Keeps the calls that were popped, or left on the stack, and that nothing refers to.
  mutating func collectDiscarded(root: NodeID) {
    for id in stack { noteIfCall(id) }
    guard !poppedCalls.isEmpty else { return }
    var known = Set(graph.reachable(from: [root]))
    known.formUnion(graph.discarded)
    for id in poppedCalls where known.insert(id).inserted { graph.discarded.append(id) }
  }

  static var underflow: FormatError {
    FormatError(.malformed, "the operation takes more from the stack than there is")
  }
}
