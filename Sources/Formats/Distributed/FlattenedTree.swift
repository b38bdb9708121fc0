internal import CkptBase
internal import CkptGraph

/// The state dict that a distributed checkpoint was flattened from.
///
/// `planner_data` has the path of each value: a string is a key of a dict, an integer the index in a
/// list (`torch/distributed/checkpoint/_nested_dict.py`).
struct FlattenedTree {
  private typealias Step = DistributedMetadata.Step

  private enum Kind {
    case dict
    case list
    case leaf(NodeID)
  }

  private struct Node {
    var kind: Kind
    /// The entries of a dict in order.
    var entries: [(key: String, node: Int)] = []
    /// The nodes of a dict by their keys.
    var places: [ExactString: Int] = [:]
    /// The nodes of a list by their indices.
    var elements: [Int: Int] = [:]
  }

  /// The containers and leaves, each after the container that it is in; the root is the first.
  private var nodes = [Node(kind: .dict)]
  /// The number of values that will be added: no list is longer.
  private let count: Int

  /// A tree for `count` values.
  init(count: Int) { self.count = count }

  /// Adds a value at the end of a path.
  ///
  /// - Throws: `malformed` for a path that another value has or goes through, and for an index that no
  ///   list can have.
  mutating func add(
    _ leaf: NodeID, at path: [DistributedMetadata.Step]
  ) throws(CheckpointError) {
    var node = 0
    for (number, step) in path.enumerated() {
      if let child = try child(step, of: node) {
        guard number + 1 < path.count else {
          throw CheckpointError(.malformed, "two values have one path")
        }
        node = child
        continue
      }
      var kind = Kind.dict
      if number + 1 == path.count {
        kind = .leaf(leaf)
      } else if case .index = path[number + 1] {
        kind = .list
      }
      nodes.append(Node(kind: kind))
      add(nodes.count - 1, step, to: node)
      node = nodes.count - 1
    }
  }

  /// The node at a step from another, or `nil` where there is none yet.
  private func child(_ step: Step, of node: Int) throws(CheckpointError) -> Int? {
    switch (step, nodes[node].kind) {
    case (.key(let key), .dict): return nodes[node].places[ExactString(key)]
    case (.index(let index), .list):
      guard 0..<count ~= index else {
        throw CheckpointError(
          .malformed, "a list has an element \(index), and the checkpoint \(count) values")
      }
      return nodes[node].elements[index]
    default:
      throw CheckpointError(.malformed, "a path goes through a value, or through a dict as a list")
    }
  }

  private mutating func add(_ child: Int, _ step: Step, to node: Int) {
    switch step {
    case .key(let key):
      nodes[node].entries.append((key, child))
      nodes[node].places[ExactString(key)] = child
    case .index(let index): nodes[node].elements[index] = child
    }
  }

  /// Adds the containers to `graph` and makes the outermost its root.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  func build(in graph: inout TensorGraph) throws(CheckpointError) {
    let integerKeyed = optimizerStates(in: graph)
    var built = [NodeID](repeating: TensorGraph.none, count: nodes.count)
    for index in nodes.indices.reversed() {
      switch nodes[index].kind {
      case .leaf(let leaf): built[index] = leaf
      case .dict:
        var pairs: [(key: NodeID, value: NodeID)] = []
        for (key, node) in nodes[index].entries {
          let number = integerKeyed.contains(index) ? Int(key) : nil
          let keyNode =
            if let number { try graph.add(.int(number)) } else { try graph.addString(key) }
          pairs.append((keyNode, built[node]))
        }
        built[index] = try graph.addDict(pairs)
      case .list:
        let elements = nodes[index].elements
        // As in torch, elements that nobody stored are None.
        var items = [NodeID](repeating: TensorGraph.none, count: (elements.keys.max() ?? -1) + 1)
        for (place, node) in elements { items[place] = built[node] }
        built[index] = try graph.add(.list(graph.addChildren(items[...])))
      }
    }
    graph.root = built[0]
  }

  // MARK: Integer keys

  /// The dicts that were keyed by integers: flattening made strings of them.
  ///
  /// An optimizer's `state` has integer keys if its `param_groups` list these integers as `params`.
  private func optimizerStates(in graph: TensorGraph) -> Set<Int> {
    var found: Set<Int> = []
    for node in nodes {
      guard let state = node.places[ExactString("state")],
        let groups = node.places[ExactString("param_groups")], !nodes[state].entries.isEmpty
      else { continue }
      let numbers = parameterNumbers(groups, graph)
      let areNumbers = nodes[state].entries.allSatisfy { entry in
        Int(entry.key).map { numbers.contains($0) && String($0) == entry.key } ?? false
      }
      if areNumbers { found.insert(state) }
    }
    return found
  }

  private func parameterNumbers(_ groups: Int, _ graph: TensorGraph) -> Set<Int> {
    var numbers: Set<Int> = []
    var lists: [NodeID] = []
    if case .leaf(let list) = nodes[groups].kind, case .list(let run) = graph[list] {
      lists = graph[run].compactMap { graph.value(of: "params", in: $0) }
    }
    for element in nodes[groups].elements.values {
      guard let parameters = nodes[element].places[ExactString("params")],
        case .leaf(let list) = nodes[parameters].kind
      else { continue }
      lists.append(list)
    }
    for list in lists {
      guard case .list(let run) = graph[list] else { continue }
      for element in graph[run] { if let number = graph.int(element) { numbers.insert(number) } }
    }
    return numbers
  }
}
