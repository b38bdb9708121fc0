package import CkptBase

/// The leaves of a graph in order, with the paths that lead to them.
///
/// Paths share their beginnings, so that a million values under one key take one step each.
package struct Leaves: Sendable {
  /// One step of a path, the container it leads out of, and the number of the step before it.
  package struct Step: Sendable {
    package var previous: Int32
    package var container: NodeID
    package var component: PathComponent
  }

  /// The number that stands for the root, where paths begin.
  package static let root: Int32 = -1

  /// The leaves in order.
  package var all: [Leaf] = []
  package var steps: [Step] = []

  /// The number of steps from the root to the step `last`.
  func stepCount(to last: Int32) -> Int {
    var count = 0
    var step = last
    while step != Self.root {
      count += 1
      step = steps[Int(step)].previous
    }
    return count
  }

  /// The last step to a leaf, or `nil` for the root.
  package func lastStep(to leaf: Leaf) -> Step? {
    leaf.lastStep == Self.root ? nil : steps[Int(leaf.lastStep)]
  }

  /// Every container that the walk has been in, once for each path to it, outer ones first.
  package var containers: [(node: NodeID, path: [PathComponent])] {
    var seen: Set<Int32> = []
    var containers: [(node: NodeID, path: [PathComponent])] = []
    for step in steps where seen.insert(step.previous).inserted {
      containers.append((step.container, path(toStep: step.previous)))
    }
    return containers
  }

  /// The steps from the root to a leaf.
  package func path(to leaf: Leaf) -> [PathComponent] { path(toStep: leaf.lastStep) }

  /// The steps from the root to the step with a number, which is the last of them.
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

/// A value of a checkpoint with the path that leads to it.
package struct Leaf: Sendable {
  /// What there is at the end of a path.
  package enum Kind: Hashable, Sendable {
    /// A tensor.
    case tensor
    /// A value without tensors in it: a number, a list, an object.
    case value
    /// A dict without entries.
    case emptyMapping
    /// A container that holds itself, met inside of itself.
    case cycle
  }

  /// What there is at the end of the path.
  package var kind: Kind
  /// The value.
  package var node: NodeID
  /// The number of steps to the outermost tensor that the leaf lies inside of, as scales lie inside
  /// of a quantised tensor; `nil` for most leaves.
  package var tensorStepCount: Int?
  /// The number of the last step to it, for ``Leaves/path(to:)``.
  package var lastStep: Int32
}

/// One step from a container to what it holds.
package enum PathComponent: Hashable, Sendable {
  /// A dict key: any hashable object.
  case key(NodeID)
  /// The index of a list's or tuple's item.
  case index(Int)
  /// The name of an attribute or of a part of an object.
  case attribute(String)
}

/// Finds the leaves of a graph: what a flat format has entries for.
///
/// Dicts are descended into, and other containers when a tensor lies somewhere in them; lists of
/// plain values are leaves. A container that is shared is walked from each of its places, as any
/// program that flattens a state dict would; one that contains itself is not walked a second time.
package struct LeafWalk {
  /// Where the walk is.
  private struct Place {
    /// The number of the last step of the path.
    var path = Leaves.root
    /// How many containers are around.
    var depth = 0
    /// How many bytes the keys on the path have.
    var byteCount = 0
    /// The number of steps to the outermost tensor that is around.
    var tensorStepCount: Int?
  }

  private enum Step {
    case visit(NodeID, Place)
    case leave(NodeID)
  }

  private let graph: TensorGraph
  /// For every node, by index, whether a tensor can be reached from it; looked for when it is asked for,
  /// as it is not by a dict of tensors.
  private lazy var holdsTensor = graph.nodesHoldingTensors()
  private var isOpen: [Bool]
  private var steps: [Step] = []
  private var leaves = Leaves()
  /// The most leaves that the graph may have.
  private let limit: Int
  /// The most bytes that the keys on the paths to them may have.
  private let pathByteLimit: Int
  private var pathStepCount = 0
  private var pathByteCount = 0

  /// The leaves of `graph` in order.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond what ``Limits`` allows.
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
        .limitExceeded, "a value lies more than \(Limits.pathLength) containers deep")
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

  /// How many bytes a step adds to names; keys that are no strs are shortened in them.
  private func byteCount(of component: PathComponent) -> Int {
    switch component {
    case .attribute(let name): return name.utf8.count
    case .key(let id):
      if case .string(let run) = graph[id] { return Int(run.count) }
      return 1
    case .index: return 1
    }
  }

  /// The parts that a reader has named, as far as they hold tensors; the others are attributes.
  private mutating func namedParts(of id: NodeID) -> [Part]? {
    graph.parts[id]?.filter { holdsTensor[Int($0.node.index)] }
  }

  /// What a dict's subclass holds beside its entries, where that holds tensors.
  private mutating func hiddenParts(of id: NodeID) -> [Part] {
    guard case .object(let objectID) = graph[id], let state = graph[objectID].state,
      holdsTensor[Int(state.index)]
    else { return [] }
    return [Part(.attribute("__dict__"), state)]
  }

  /// The parts of a container that no reader has named.
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

  /// The attributes that a state sets: a dict, or a pair of such with slots.
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
      Leaf(kind: kind, node: id, tensorStepCount: place.tensorStepCount, lastStep: place.path))
  }

  private static var tooMany: CheckpointError {
    CheckpointError(
      .limitExceeded, "shared containers multiply to far more values than there are objects",
      remedy: "this is a file made to exhaust its readers")
  }
}

extension TensorGraph {
  /// The name of a step in paths as people write them.
  package func text(of component: PathComponent) -> String {
    switch component {
    case .index(let index): String(index)
    case .attribute(let name): name
    case .key(let id): string(id) ?? description(of: id, limit: 120)
    }
  }

  /// The most bytes that the keys on the paths to all leaves may have together.
  package var pathByteLimit: Int {
    Limits.pathBytesAtLeast + Limits.pathBytesPerNode * nodeCount
      + Limits.pathBytesPerTextByte * textByteCount
  }
}
