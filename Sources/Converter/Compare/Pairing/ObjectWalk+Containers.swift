internal import CkptGraph

/// Compares containers and constructions.
extension ObjectWalk {
  // MARK: Sequences

  /// Compares items one by one, up to the shorter length.
  mutating func compareItems(_ left: NodeRun, _ right: NodeRun, _ pair: Pair, _ step: Int32) {
    if left.count != right.count { note(.length, pair, items(left.count), items(right.count)) }
    pend(first[left], second[right], step)
  }

  private func items(_ count: UInt32) -> String { count == 1 ? "1 item" : "\(count) items" }

  /// Pushes the first pairs of items onto the stack, the first one on top.
  private mutating func pend(
    _ left: ArraySlice<NodeID>, _ right: ArraySlice<NodeID>, _ step: Int32
  ) {
    for index in (0..<min(left.count, right.count)).reversed() {
      pend(
        left[left.startIndex + index], right[right.startIndex + index], step,
        .index(Int32(truncatingIfNeeded: index)))
    }
  }

  private mutating func pend(
    _ left: NodeID, _ right: NodeID, _ step: Int32, _ component: NodePaths.Component
  ) {
    pending.append(
      Pair(first: left, second: right, place: .init(previous: step, component: component)))
  }

  // MARK: Dicts and sets

  /// Compares dicts, given as alternating keys and values.
  mutating func compareEntries(_ left: NodeRun, _ right: NodeRun, _ pair: Pair, _ step: Int32) {
    let (leftItems, rightItems) = (first[left], second[right])
    let matches = match(leftItems, rightItems, stride: 2, step)
    noteOrder(of: matches, leftItems, rightItems, pair)
    for match in matches.reversed() {
      let (leftIndex, rightIndex) = (
        leftItems.startIndex + 2 * match.first, rightItems.startIndex + 2 * match.second
      )
      let component = NodePaths.Component.key(leftItems[leftIndex])
      pend(leftItems[leftIndex + 1], rightItems[rightIndex + 1], step, component)
      pend(leftItems[leftIndex], rightItems[rightIndex], step, component)
    }
  }

  /// Compares sets in any order.
  mutating func compareElements(_ left: NodeRun, _ right: NodeRun, _ step: Int32) {
    let (leftItems, rightItems) = (first[left], second[right])
    for match in match(leftItems, rightItems, stride: 1, step).reversed() {
      let element = leftItems[leftItems.startIndex + match.first]
      pend(
        element, rightItems[rightItems.startIndex + match.second], step, .key(element))
    }
  }

  /// Finds the key of the second container for each key of the first, and records keys without a
  /// match.
  ///
  /// - Returns: the positions of the pairs, in entries, in the order of the first container.
  private mutating func match(
    _ left: ArraySlice<NodeID>, _ right: ArraySlice<NodeID>, stride width: Int, _ step: Int32
  ) -> [(first: Int, second: Int)] {
    let leftDigests = digests(of: left, stride: width, first, .first)
    let rightDigests = digests(of: right, stride: width, second, .second)
    if leftDigests == rightDigests { return leftDigests.indices.map { ($0, $0) } }
    var waiting: [Int: [Int]] = [:]
    for (index, digest) in rightDigests.enumerated().reversed() {
      waiting[digest, default: []].append(index)
    }
    var matches: [(first: Int, second: Int)] = []
    var isMatched = [Bool](repeating: false, count: rightDigests.count)
    for (index, digest) in leftDigests.enumerated() {
      if let found = waiting[digest]?.popLast() {
        matches.append((index, found))
        isMatched[found] = true
      } else {
        let entry = left.startIndex + width * index
        noteUnmatched(
          .missing, .init(previous: step, component: .key(left[entry])),
          value: left[entry + width - 1], of: first)
      }
    }
    for index in isMatched.indices where !isMatched[index] {
      let entry = right.startIndex + width * index
      noteUnmatched(
        .extra, .init(previous: step, component: .secondKey(right[entry])),
        value: right[entry + width - 1], of: second)
    }
    return matches
  }

  private mutating func digests(
    of items: ArraySlice<NodeID>, stride width: Int, _ graph: TensorGraph,
    _ side: StringInterner.Side
  ) -> [Int] {
    stride(from: items.startIndex, to: items.endIndex, by: width).map {
      KeyDigests.digest(of: items[$0], in: graph, side, &texts)
    }
  }

  private mutating func noteUnmatched(
    _ kind: Difference.Kind, _ place: NodePaths.Place, value: NodeID, of graph: TensorGraph
  ) {
    guard !differences.isFull else { return differences.addUndescribed() }
    let text = graph.description(of: value, limit: 80)
    differences.add(
      Difference(
        kind, at: trail.name(of: place, nil), first: kind == .missing ? text : nil,
        second: kind == .extra ? text : nil))
  }

  /// Records the first two keys that are in another order.
  private mutating func noteOrder(
    of matches: [(first: Int, second: Int)], _ left: ArraySlice<NodeID>,
    _ right: ArraySlice<NodeID>, _ pair: Pair
  ) {
    let sorted = matches.map(\.second).sorted()
    guard let position = zip(matches, sorted).enumerated().first(where: { $1.0.second != $1.1 })
    else { return }
    let earlier = first.description(
      of: left[left.startIndex + 2 * position.element.0.first], limit: 60)
    let later = second.description(of: right[right.startIndex + 2 * position.element.1], limit: 60)
    note(.order, pair, "\(earlier) before \(later)", "\(later) before \(earlier)")
  }

  // MARK: Constructions

  /// Compares the calls that make two objects, and the steps after the call.
  mutating func compare(_ left: ObjectNode, _ right: ObjectNode, _ pair: Pair, _ step: Int32) {
    let areGlobals = isGlobal(left.callable, of: first) && isGlobal(right.callable, of: second)
    if areGlobals, !isSameGlobal(left.callable, right.callable) {
      return note(
        .type, pair, first.description(of: left.callable, limit: 80),
        second.description(of: right.callable, limit: 80))
    }
    guard left.form == right.form else {
      return note(.type, pair, "made by \(left.form)", "made by \(right.form)")
    }
    // The stack returns the last element first.
    pendOptional(left.state, right.state, pair, step, .state)
    compareEntries(left.pairs, right.pairs, pair, step)
    if left.items.count != right.items.count {
      note(.length, pair, items(left.items.count), items(right.items.count))
    }
    pend(first[left.items], second[right.items], step)
    pendOptional(left.keywords, right.keywords, pair, step, .keywords)
    pendArguments(left, right, step)
    if !areGlobals { pend(left.callable, right.callable, step, .callable) }
  }

  private func isGlobal(_ id: NodeID, of graph: TensorGraph) -> Bool {
    guard case .global = graph[id] else { return false }
    return true
  }

  private mutating func pendOptional(
    _ left: NodeID?, _ right: NodeID?, _ pair: Pair, _ step: Int32, _ component: NodePaths.Component
  ) {
    switch (left, right) {
    case (nil, nil): return
    case (let left?, let right?): pend(left, right, step, component)
    case (let left?, nil):
      note(.state, pair, first.description(of: left, limit: 80), "nothing")
    case (nil, let right?):
      note(.state, pair, "nothing", second.description(of: right, limit: 80))
    }
  }

  /// The maximum number of arguments of functions that make parameters.
  private static let parameterArguments = 4

  /// Pushes the arguments, without a parameter flag that the tensors have too.
  private mutating func pendArguments(_ left: ObjectNode, _ right: ObjectNode, _ step: Int32) {
    guard let leftItems = first.tuple(left.arguments),
      let rightItems = second.tuple(right.arguments),
      leftItems.count == rightItems.count, (3...Self.parameterArguments).contains(leftItems.count),
      isParameterFlagShown(left, leftItems, of: first),
      isParameterFlagShown(right, rightItems, of: second)
    else { return pend(left.arguments, right.arguments, step, .arguments) }
    for index in (0..<leftItems.count).reversed() where index != 1 {
      pend(
        leftItems[leftItems.startIndex + index], rightItems[rightItems.startIndex + index], step,
        .index(Int32(index)))
    }
  }

  /// Whether an object is `_rebuild_parameter(tensor, requires_grad, ...)` (`torch/_utils.py`) with
  /// the same flag as its tensor.
  private func isParameterFlagShown(
    _ object: ObjectNode, _ arguments: ArraySlice<NodeID>, of graph: TensorGraph
  ) -> Bool {
    guard
      graph.isGlobal(object.callable, "torch._utils", "_rebuild_parameter")
        || graph.isGlobal(object.callable, "torch._utils", "_rebuild_parameter_with_state"),
      case .tensor(let tensor) = graph[arguments[arguments.startIndex]],
      case .bool(let flag) = graph[arguments[arguments.startIndex + 1]]
    else { return false }
    return graph[tensor].requiresGradient == flag
  }
}

/// Computes hashes of keys, to match the keys of two graphs.
///
/// Keys with equal hashes are compared afterwards like other values. Unlike in Python, `1`, `1.0`
/// and `True` are different keys here.
struct KeyDigests {
  /// The maximum number of nodes of a key to visit.
  ///
  /// Tuples can share parts, so a few bytes can describe a key of astronomical size.
  private static let budget = 512

  /// Returns the hash of a key, a node of `graph`.
  static func digest(
    of key: NodeID, in graph: TensorGraph, _ side: StringInterner.Side,
    _ texts: inout StringInterner
  ) -> Int {
    var hasher = Hasher()
    var pending = [key]
    var budget = Self.budget
    while let id = pending.popLast(), budget > 0 {
      budget -= 1
      switch graph[id] {
      case .none: hasher.combine(0)
      case .bool(let value): hasher.combine(value)
      case .int(let value):
        hasher.combine(1)
        hasher.combine(value)
      case .float(let value):
        hasher.combine(2)
        hasher.combine(value.bitPattern)
      case .string(let run): combine(3, id, run)
      case .bytes(let run): combine(4, id, run)
      case .largeInt(let run): combine(5, id, run)
      case .tuple(let run):
        hasher.combine(6)
        hasher.combine(run.count)
        pending += graph[run].prefix(budget).reversed()
      case .frozenSet(let run):
        hasher.combine(7)
        hasher.combine(run.count)
      // Libraries move classes between modules; the comparison decides about them.
      case .global(_, let name): pending.append(name)
      // Keys that Python hashes by identity are compared later, in their order.
      case .list, .dict, .set, .byteArray, .object, .persistent, .tensor: hasher.combine(8)
      }
    }
    return hasher.finalize()

    func combine(_ kind: Int, _ id: NodeID, _ run: ByteRun) {
      hasher.combine(kind)
      if let number = texts.number(of: id, run, in: graph, side) {
        hasher.combine(number)
      } else {
        hasher.combine(graph[run])
      }
    }
  }
}
