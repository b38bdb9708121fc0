internal import CkptGraph

/// The paths from the root to all visited objects, for the names in messages.
struct NodePaths {
  /// A step from one object to another.
  enum Component {
    /// The root.
    case root
    /// The value of a key, or an element of a set, by its node in the first graph.
    case key(NodeID)
    /// The same for a key that only the second graph has.
    case secondKey(NodeID)
    /// An item of a list or tuple.
    case index(Int32)
    /// The callable of a construction.
    case callable
    /// The tuple of arguments of a construction.
    case arguments
    /// The dict of named arguments of a construction.
    case keywords
    /// The state of an object.
    case state
  }

  /// A place below a visited object.
  struct Place {
    /// The number of the step to that object.
    var previous: Int32
    /// The step from there.
    var component: Component
  }

  private struct Step {
    var place: Place
    var node: NodeID
  }

  /// The maximum number of steps in a name; nesting can be as deep as a file is long.
  private static let shownSteps = 64
  /// The maximum number of bytes of a key in a name.
  private static let shownKey = 1000

  private let first: TensorGraph
  private let second: TensorGraph
  private var steps: [Step] = []
  /// The name of the root, if the walk is one of many.
  private var rootName: String?
  private var partNames: [NodeID: [NodeID: PathComponent?]] = [:]

  /// The place of the root.
  static let root = Place(previous: -1, component: .root)

  /// Creates empty paths for two graphs.
  init(_ first: TensorGraph, _ second: TensorGraph) {
    self.first = first
    self.second = second
  }

  /// Starts again at a root with a name.
  mutating func restart(at rootName: String) {
    steps.removeAll(keepingCapacity: true)
    self.rootName = rootName
  }

  /// The number of the next step.
  var nextStep: Int32 { Int32(truncatingIfNeeded: steps.count) }

  /// Adds the step to an object of the first graph and returns its number.
  mutating func add(_ place: Place, to node: NodeID) -> Int32 {
    steps.append(Step(place: place, node: node))
    return nextStep - 1
  }

  /// Returns the dotted name of the object at the end of a step.
  mutating func name(of step: Int32) -> String {
    name(of: steps[Int(step)].place, steps[Int(step)].node)
  }

  /// Returns the dotted name of a place, as in the layout `plain`; `node` is the node of the first
  /// graph there.
  mutating func name(of place: Place, _ node: NodeID?) -> String {
    var chain: [(component: Component, node: NodeID?)] = [(place.component, node)]
    var previous = place.previous
    while previous >= 0, chain.count < Self.shownSteps {
      let step = steps[Int(previous)]
      chain.append((step.place.component, step.node))
      previous = step.place.previous
    }
    chain.reverse()
    var names = previous >= 0 ? ["..."] : rootName.map { [$0] } ?? []
    var position = 0
    // The chain begins with the root, or in the middle of a path that is too long to show.
    if previous >= 0, let text = text(of: chain[0].component) { names.append(text) }
    while position + 1 < chain.count {
      if let (part, name) = part(of: chain, after: position) {
        if let name { names.append(text(of: name)) }
        position = part
        continue
      }
      position += 1
      if position + 1 < chain.count, isModuleBookkeeping(chain, position) { continue }
      if let text = text(of: chain[position].component) { names.append(text) }
    }
    if names.isEmpty { return isTensor(node) ? "tensor" : "root" }
    return names.joined(separator: ".")
  }

  /// Returns the first later object on the chain that a reader named as a part of the one at
  /// `position`.
  private mutating func part(
    of chain: [(component: Component, node: NodeID?)], after position: Int
  ) -> (position: Int, name: PathComponent?)? {
    guard let owner = chain[position].node, let parts = first.parts[owner] else { return nil }
    let names =
      partNames[owner]
      ?? Dictionary(parts.map { ($0.node, $0.component) }, uniquingKeysWith: { kept, _ in kept })
    partNames[owner] = names
    for later in (position + 1)..<chain.count {
      if let node = chain[later].node, let name = names[node] { return (later, name) }
    }
    return nil
  }

  /// Whether a step only leads through the dicts in which a pickled `nn.Module` stores its tensors.
  private func isModuleBookkeeping(
    _ chain: [(component: Component, node: NodeID?)], _ position: Int
  ) -> Bool {
    guard case .key(let key) = chain[position].component, position > 0,
      case .state = chain[position - 1].component
    else { return false }
    return ["_parameters", "_buffers", "_modules"].contains { first.text(of: key, equals: $0) }
  }

  private func isTensor(_ node: NodeID?) -> Bool {
    guard let node, case .tensor = first[node] else { return false }
    return true
  }

  private func text(of component: Component) -> String? {
    switch component {
    case .root, .state: nil
    case .key(let id): Self.text(of: id, in: first)
    case .secondKey(let id): Self.text(of: id, in: second)
    case .index(let index): String(index)
    case .callable: "callable"
    case .arguments: "args"
    case .keywords: "kwargs"
    }
  }

  private func text(of component: PathComponent) -> String {
    switch component {
    case .key(let id): Self.text(of: id, in: first)
    case .index(let index): String(index)
    case .attribute(let name): name
    }
  }

  private static func text(of key: NodeID, in graph: TensorGraph) -> String {
    guard case .string(let run) = graph[key] else { return graph.description(of: key, limit: 120) }
    return String(decoding: graph[run].prefix(shownKey), as: UTF8.self)
  }
}
