package import CkptBase

/// The leaves of a graph in order, with their paths.
///
/// Paths share their beginnings, so a million values under one key take one step each.
package struct Leaves: Sendable {
  /// A step of a path, with its container and the number of the previous step.
  package struct Step: Sendable {
    package var previous: Int32
    package var container: NodeID
    package var component: PathComponent
  }

  /// The number of the root, where paths begin.
  package static let root: Int32 = -1

  /// The leaves, in order.
  package var all: [Leaf] = []
  package var steps: [Step] = []

  /// Returns the number of steps from the root to the step `last`.
  func stepCount(to last: Int32) -> Int {
    var count = 0
    var step = last
    while step != Self.root {
      count += 1
      step = steps[Int(step)].previous
    }
    return count
  }

  /// Returns the last step to a leaf, or `nil` for the root.
  package func lastStep(to leaf: Leaf) -> Step? {
    leaf.lastStep == Self.root ? nil : steps[Int(leaf.lastStep)]
  }

  /// The visited containers, once for each path to them, outer ones first.
  package var containers: [(node: NodeID, path: [PathComponent])] {
    var seen: Set<Int32> = []
    var containers: [(node: NodeID, path: [PathComponent])] = []
    for step in steps where seen.insert(step.previous).inserted {
      containers.append((step.container, path(toStep: step.previous)))
    }
    return containers
  }

  /// Returns the steps from the root to a leaf.
  package func path(to leaf: Leaf) -> [PathComponent] { path(toStep: leaf.lastStep) }

  /// Returns the steps from the root to the step with a number, inclusive.
  package func path(toStep last: Int32) -> [PathComponent] {
    var components: [PathComponent] = []
    var step = last
    while step != Self.root {
      components.append(steps[Int(step)].component)
      step = steps[Int(step)].previous
    }
    return components.reversed()
  }
}

/// A value of a checkpoint with its path.
package struct Leaf: Sendable {
  /// The kind of a leaf.
  package enum Kind: Hashable, Sendable {
    /// A tensor.
    case tensor
    /// A value without tensors: a number, a list, an object.
    case value
    /// An empty dict.
    case emptyMapping
    /// A container inside itself.
    case cycle
  }

  /// The kind.
  package var kind: Kind
  /// The value.
  package var node: NodeID
  /// The number of steps to the outermost tensor around the leaf, such as a quantized tensor around
  /// its scales; `nil` for most leaves.
  package var tensorStepCount: Int?
  /// The number of the last step, for ``Leaves/path(to:)``.
  package var lastStep: Int32
  /// The count of containers around it.
  ///
  /// The path has fewer steps if an object on it has the same name as its container.
  package var depth: Int32
}

/// A step from a container to one of its members.
package enum PathComponent: Hashable, Sendable {
  /// The key of a dict entry: any hashable object.
  case key(NodeID)
  /// The index of an item in a list or tuple.
  case index(Int)
  /// The name of an attribute or of a part of an object.
  case attribute(String)
}

/// Finds the leaves of a graph: the values that become entries of a flat format.
///
/// The walk enters dicts, and other containers if they hold a tensor; lists of plain values are
/// leaves. A shared container is visited from each of its places, as in any program that flattens a
/// state dict. A container inside itself is not visited again.
package struct LeafWalk {
  /// The position of the walk.
  private struct Place {
    /// The number of the last step of the path.
    var path = Leaves.root
    /// The number of containers around it.
    var depth = 0
    /// The length of the keys on the path, in bytes.
    var byteCount = 0
    /// The number of steps to the outermost tensor around it.
    var tensorStepCount: Int?
  }

  private enum Step {
    case visit(NodeID, Place)
    case leave(NodeID)
  }

  private let graph: TensorGraph
  /// For every node, by index, whether it reaches a tensor.
  ///
  /// It is computed on demand; a dict of tensors does not need it.
  private lazy var holdsTensor = graph.nodesHoldingTensors()
  private var isOpen: [Bool]
  private var steps: [Step] = []
  private var leaves = Leaves()
  /// The maximum number of leaves.
  private let limit: Int
  /// The maximum length of the keys on all paths, in bytes.
  private let pathByteLimit: Int
  private var pathStepCount = 0
  private var pathByteCount = 0

  /// Returns the leaves of `graph`, in order.
  ///
  /// - Throws: `limitExceeded` if shared containers multiply beyond ``Limits``.
  package static func leaves(of graph: TensorGraph) throws(CheckpointError) -> Leaves {
    var walk = LeafWalk(graph)
    try walk.run()
    return walk.leaves
  }

  private init(_ graph: TensorGraph) {
    self.graph = graph
    limit = Limits.leavesAtLeast + Limits.leavesPerNode * graph.nodeCount
    pathByteLimit = graph.pathByteLimit
    isOpen = [Bool](repeating: false, count: graph.nodeCount)
  }

  private mutating func run() throws(CheckpointError) {
    steps.append(.visit(graph.root, Place()))
    while let step = steps.popLast() {
      switch step {
      case .leave(let id): isOpen[Int(id.index)] = false
      case .visit(let id, let place): try visit(id, at: place)
      }
    }
  }

  private mutating func visit(_ id: NodeID, at place: Place) throws(CheckpointError) {
    guard !isOpen[Int(id.index)] else { return try add(.cycle, id, place) }
    if case .tensor = graph[id] {
      try add(.tensor, id, place)
      var inside = place
      inside.tensorStepCount = place.tensorStepCount ?? leaves.stepCount(to: place.path)
      try descend(into: id, parts: namedParts(of: id) ?? [], from: inside)
    } else if let entries = graph.entries(of: id) {
      if entries.isEmpty, !holdsTensor[Int(id.index)] {
        return try add(.emptyMapping, id, place)
      }
      var parts = entries.map { Part(.key($0.key), $0.value) }
      parts += hiddenParts(of: id)
      try descend(into: id, parts: parts, from: place)
    } else if holdsTensor[Int(id.index)] {
      try descend(into: id, parts: namedParts(of: id) ?? genericParts(of: id), from: place)
    } else {
      try add(.value, id, place)
    }
  }

  private mutating func descend(
    into id: NodeID, parts: [Part], from place: Place
  ) throws(CheckpointError) {
    guard !parts.isEmpty else { return }
    guard leaves.steps.count + parts.count <= limit else { throw Self.tooMany }
    guard place.depth < Limits.pathLength else {
      throw CheckpointError(
        .limitExceeded, "a value is nested more than \(Limits.pathLength) containers deep")
    }
    isOpen[Int(id.index)] = true
    steps.append(.leave(id))
    for part in parts.reversed() {
      var next = place
      next.depth += 1
      if let component = part.component {
        leaves.steps.append(.init(previous: place.path, container: id, component: component))
        next.path = Int32(leaves.steps.count - 1)
        next.byteCount += byteCount(of: component)
      }
      steps.append(.visit(part.node, next))
    }
  }

  /// Returns the length of a step in names, in bytes; keys that are not strs are shortened there.
  private func byteCount(of component: PathComponent) -> Int {
    switch component {
    case .attribute(let name): return name.utf8.count
    case .key(let id):
      if case .string(let run) = graph[id] { return Int(run.count) }
      return 1
    case .index: return 1
    }
  }

  /// Returns the parts that a reader has named, if they hold tensors; the others are attributes.
  private mutating func namedParts(of id: NodeID) -> [Part]? {
    graph.parts[id]?.filter { holdsTensor[Int($0.node.index)] }
  }

  /// Returns the parts of a dict subclass other than its entries, if they hold tensors.
  private mutating func hiddenParts(of id: NodeID) -> [Part] {
    guard case .object(let objectID) = graph[id], let state = graph[objectID].state,
      holdsTensor[Int(state.index)]
    else { return [] }
    return [Part(.attribute("__dict__"), state)]
  }

  /// Returns the parts of a container without named parts.
  private mutating func genericParts(of id: NodeID) -> [Part] {
    switch graph[id] {
    case .tuple(let run), .list(let run), .set(let run), .frozenSet(let run):
      return indexed(graph[run])
    case .object(let objectID):
      let object = graph[objectID]
      var parts: [Part] = []
      for id in [object.callable, object.arguments] + (object.keywords.map { [$0] } ?? [])
      where holdsTensor[Int(id.index)] {
        parts += graph.tuple(id).map(indexed) ?? [Part(nil, id)]
      }
      parts += indexed(graph[object.items])
      if let state = object.state { parts += stateParts(state) }
      return parts
    default: return []
    }
  }

  /// Returns the attributes that a state sets: a dict, or a pair of a dict and a dict of slots.
  private func stateParts(_ state: NodeID) -> [Part] {
    guard let pair = graph.tuple(state) else { return attributes(state) }
    return pair.flatMap(attributes)
  }

  private func attributes(_ state: NodeID) -> [Part] {
    switch graph[state] {
    case .dict(let run):
      let items = graph[run]
      return stride(from: items.startIndex, to: items.endIndex, by: 2).map { index in
        let name = graph.string(items[index]).map { PathComponent.attribute($0) }
        return Part(name ?? .key(items[index]), items[index + 1])
      }
    case .none: return []
    default: return [Part(.attribute("__state__"), state)]
    }
  }

  private func indexed(_ items: ArraySlice<NodeID>) -> [Part] {
    items.enumerated().map { Part(.index($0.offset), $0.element) }
  }

  private mutating func add(
    _ kind: Leaf.Kind, _ id: NodeID, _ place: Place
  ) throws(CheckpointError) {
    pathStepCount += place.depth
    pathByteCount += place.byteCount
    guard leaves.all.count < limit, pathStepCount <= Limits.pathSteps,
      pathByteCount <= pathByteLimit
    else { throw Self.tooMany }
    leaves.all.append(
      Leaf(
        kind: kind, node: id, tensorStepCount: place.tensorStepCount, lastStep: place.path,
        depth: Int32(truncatingIfNeeded: place.depth)))
  }

  private static var tooMany: CheckpointError {
    CheckpointError(
      .limitExceeded, "shared containers multiply to far more values than there are objects",
      remedy: "do not use this file; it was made to exhaust its readers")
  }
}

extension TensorGraph {
  /// Returns the name of a step in plain paths.
  package func text(of component: PathComponent) -> String {
    switch component {
    case .index(let index): String(index)
    case .attribute(let name): name
    case .key(let id): string(id) ?? description(of: id, limit: 120)
    }
  }

  /// The maximum length of the keys on the paths to all leaves, in bytes.
  package var pathByteLimit: Int {
    Limits.pathBytesAtLeast + Limits.pathBytesPerNode * nodeCount
      + Limits.pathBytesPerTextByte * textByteCount
  }
}
