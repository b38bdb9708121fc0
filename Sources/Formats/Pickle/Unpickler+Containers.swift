internal import Bytes
internal import Graph

/// Tuples, lists, dicts and sets, and filling them after they were memoised.
extension Unpickler {
  mutating func pushTuple(count: Int) throws(FormatError) {
    guard stack.count - (marks.last ?? 0) >= count else { throw Self.underflow }
    let run = graph.addChildren(stack[(stack.count - count)...])
    stack.removeLast(count)
    push(try graph.add(.tuple(run)))
  }

  mutating func pushTuple(of items: ArraySlice<NodeID>) throws(FormatError) {
    guard !items.isEmpty else { return push(TensorGraph.emptyTuple) }
    push(try graph.add(.tuple(graph.addChildren(items))))
  }

  mutating func pushDict(of items: ArraySlice<NodeID>) throws(FormatError) {
    try checkPairs(items)
    push(try graph.add(.dict(graph.addChildren(items))))
  }

  mutating func append(_ items: ArraySlice<NodeID>) throws(FormatError) {
    let target = try top()
    switch graph[target] {
    case .list(var run):
      graph.append(items, to: &run)
      graph.replace(target, with: .list(run))
    case .object(let id):
      var run = graph[id].items
      graph.append(items, to: &run)
      graph[id].items = run
    default: try refuseUnlessDropped(target, "items are appended to something that is not a list")
    }
  }

  mutating func setItem() throws(FormatError) {
    guard stack.count - (marks.last ?? 0) >= 2 else { throw Self.underflow }
    let pair = Array(stack.suffix(2))
    stack.removeLast(2)
    try setItems(pair[...])
  }

  mutating func setItems(_ pairs: ArraySlice<NodeID>) throws(FormatError) {
    try checkPairs(pairs)
    let target = try top()
    switch graph[target] {
    case .dict(var run):
      graph.append(pairs, to: &run)
      graph.replace(target, with: .dict(run))
    case .object(let id):
      var run = graph[id].pairs
      graph.append(pairs, to: &run)
      graph[id].pairs = run
    default: try refuseUnlessDropped(target, "keys are set in something that is not a dict")
    }
  }

  mutating func addItems(_ items: ArraySlice<NodeID>) throws(FormatError) {
    let target = try top()
    guard case .set(var run) = graph[target] else {
      return try refuseUnlessDropped(target, "items are added to something that is not a set")
    }
    graph.append(items, to: &run)
    graph.replace(target, with: .set(run))
  }

  private func checkPairs(_ items: ArraySlice<NodeID>) throws(FormatError) {
    guard items.count.isMultiple(of: 2) else {
      throw FormatError(.malformed, "a dict is given a key without a value")
    }
  }
}
