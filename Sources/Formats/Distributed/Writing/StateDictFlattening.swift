internal import CkptBase
internal import CkptGraph

/// A version of the rule by which PyTorch flattens a state dict
/// (`torch/distributed/checkpoint/_traverse.py`).
package enum FlatteningRule: Sendable {
  /// From PyTorch 2.4 on: every dict is entered, and every list with a dict or tensor inside.
  case current
  /// Up to PyTorch 2.3: dicts and lists without tensors are values.
  case untilTorch23
}

/// The tensors and values of a state dict with their flattened names.
struct StateDictFlattening {
  /// A tensor or a value.
  struct Entry {
    /// The keys and indices on the way to it, between dots.
    var name: String
    /// The way to it.
    var path: [DistributedMetadata.Step]
    /// The tensor; `nil` for a value.
    var tensor: TensorID?
    /// The node.
    var node: NodeID
  }

  /// The entries, in the order of the state dict.
  private(set) var entries: [Entry] = []
  /// The names of empty dicts, which a distributed checkpoint has no place for.
  private(set) var emptyDicts: [String] = []
  /// The number of keys that were integers.
  private(set) var integerKeyCount = 0

  private let graph: TensorGraph
  private let rule: FlatteningRule
  private var stepCount = 0

  /// Flattens the root of `graph`.
  ///
  /// - Throws: `unsupported` for a root that is no dict, for keys other than strings and integers, for
  ///   tensors without data, and for two values of one name; `limitExceeded` for an object with too many
  ///   paths.
  init(_ graph: TensorGraph, _ rule: FlatteningRule) throws(CheckpointError) {
    self.graph = graph
    self.rule = rule
    guard graph.isMapping(graph.root) else {
      throw CheckpointError(
        .unsupported,
        "a state dict is expected, found \(graph.description(of: graph.root, limit: 60))")
    }
    try walk()
    var names: Set<ExactString> = []
    for entry in entries {
      guard entry.name.utf8.count <= Limits.nameBytes else {
        throw CheckpointError(
          .limitExceeded, "a name would have \(entry.name.utf8.count) bytes: '\(entry.name)'")
      }
      guard names.insert(ExactString(entry.name)).inserted else {
        throw CheckpointError(
          .unsupported, "two values would be named '\(entry.name)'",
          remedy: "rename one of their keys; names are keys between dots")
      }
    }
  }

  /// A container to enter, or a value to add.
  private typealias Pending = (node: NodeID, path: [DistributedMetadata.Step])

  private mutating func walk() throws(CheckpointError) {
    // The root is entered by every rule.
    var pending = try children(of: (graph.root, []))
    let limit = Limits.leavesPerNode * graph.nodeCount + Limits.leavesAtLeast
    var visitCount = 0
    while let next = pending.popLast() {
      visitCount += 1
      stepCount += next.path.count
      guard visitCount <= limit, stepCount <= Limits.pathSteps,
        next.path.count <= Limits.pathLength
      else {
        throw CheckpointError(
          .limitExceeded, "the state dict contains itself, or has more than \(limit) values")
      }
      if isEntered(next.node) {
        pending += try children(of: next)
      } else {
        try add(next)
      }
    }
  }

  /// Returns the children of a dict or list, the first one last.
  private mutating func children(of parent: Pending) throws(CheckpointError) -> [Pending] {
    if case .list(let run) = graph[parent.node] {
      return graph[run].enumerated().reversed().map {
        ($0.element, parent.path + [.index($0.offset)])
      }
    }
    let entries = graph.entries(of: parent.node) ?? []
    if entries.isEmpty { emptyDicts.append(Self.name(of: parent.path)) }
    var children: [Pending] = []
    for entry in entries.reversed() {
      children.append((entry.value, parent.path + [.key(try key(entry.key))]))
    }
    return children
  }

  private mutating func key(_ node: NodeID) throws(CheckpointError) -> String {
    if case .int(let number) = graph[node] {
      integerKeyCount += 1
      return String(number)
    }
    guard let key = graph.string(node) else {
      throw CheckpointError(
        .unsupported,
        "the key \(graph.description(of: node, limit: 60)) is neither a string nor an integer")
    }
    return key
  }

  private mutating func add(_ value: Pending) throws(CheckpointError) {
    let name = Self.name(of: value.path)
    var node = value.node
    if case .parameter(let inner, _)? = graph.knownObject(node) { node = inner }
    guard case .tensor(let id) = graph[node], graph[id].isPlain else {
      entries.append(Entry(name: name, path: value.path, tensor: nil, node: value.node))
      return
    }
    guard graph[id].storage != nil else {
      throw CheckpointError(.unsupported, "'\(name)' has no data: it is on the meta device")
    }
    entries.append(Entry(name: name, path: value.path, tensor: id, node: node))
  }

  /// Whether the rule enters a dict or list.
  private func isEntered(_ node: NodeID) -> Bool {
    if graph.isMapping(node) { return rule == .current || holds(node, mappings: false) }
    guard case .list = graph[node] else { return false }
    return holds(node, mappings: rule == .current)
  }

  /// Whether a dict or list has a tensor inside, or a dict if `mappings` count too.
  private func holds(_ node: NodeID, mappings: Bool) -> Bool {
    var seen: Set<NodeID> = [node]
    var pending = [node]
    while let next = pending.popLast() {
      var children = graph.entries(of: next).map { $0.map(\.value)[...] } ?? []
      if case .list(let run) = graph[next] { children = graph[run] }
      for child in children {
        if case .tensor = graph[child] { return true }
        if case .parameter? = graph.knownObject(child) { return true }
        let isMapping = graph.isMapping(child)
        if mappings, isMapping { return true }
        var isOpen = isMapping
        if case .list = graph[child] { isOpen = true }
        if isOpen, seen.insert(child).inserted { pending.append(child) }
      }
    }
    return false
  }

  private static func name(of path: [DistributedMetadata.Step]) -> String {
    path.map { step in
      switch step {
      case .key(let key): key
      case .index(let index): String(index)
      }
    }.joined(separator: ".")
  }
}

extension Tensor {
  /// Whether it is a dense tensor whose elements a chunk can have.
  fileprivate var isPlain: Bool {
    if case .storage = origin { return false }
    switch dtype {
    case .qint8, .quint8, .qint32, .quint4x2, .quint2x4: return false
    default: return elementShape == nil
    }
  }
}
