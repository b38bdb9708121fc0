internal import Bytes
internal import Graph
internal import Safetensors

/// Compares the leaves of two graphs by name, where one of them is a flat list of them.
struct NameComparison {
  /// What a flat list does not tell.
  static let notCompared = [
    "nesting, and the types of containers", "the order of values",
    "which objects and which storages are shared",
    "strides, devices, requires_grad and lazy signs of tensors",
  ]

  /// The leaves of one side.
  private struct Names {
    var leaves: [NamedLeaf]
    private var positions: [ExactString: Int] = [:]
    private var keepers: [ExactString: String] = [:]

    init(_ side: GraphComparison.Side) throws(FormatError) {
      leaves = try NamedLeaf.all(of: side.graph)
      for (index, leaf) in leaves.enumerated() { positions[ExactString(leaf.name)] = index }
      guard case .names(let metadata) = side.structure else { return }
      for (name, keeper) in metadata { keepers[ExactString(name)] = keeper }
    }

    /// The number of the leaf that has a name, or whose tensor the name is tied to.
    func position(of name: String) -> Int? {
      if let position = positions[ExactString(name)] { return position }
      return keepers[ExactString(name)].flatMap { positions[ExactString($0)] }
    }
  }

  /// The walk that compares the values.
  var walk: ObjectWalk
  private let first: Names
  private let second: Names

  /// A comparison that has not begun.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
  init(
    _ first: GraphComparison.Side, _ second: GraphComparison.Side, limit: Int
  ) throws(FormatError) {
    walk = ObjectWalk(first.graph, second.graph, isFlat: true, limit: limit)
    self.first = try Names(first)
    self.second = try Names(second)
  }

  /// Compares all leaves.
  mutating func run() {
    var isFound = [Bool](repeating: false, count: second.leaves.count)
    for leaf in first.leaves {
      if let position = second.position(of: leaf.name) {
        isFound[position] = true
        walk.trail.restart(at: leaf.name)
        walk.compare(leaf.node, second.leaves[position].node)
      } else {
        let text = walk.first.description(of: leaf.node, limit: 80)
        walk.differences.add(Difference(.missing, at: leaf.name, first: text, second: nil))
      }
    }
    for (leaf, isFound) in zip(second.leaves, isFound) where !isFound {
      if let position = first.position(of: leaf.name) {
        walk.trail.restart(at: leaf.name)
        walk.compare(first.leaves[position].node, leaf.node)
      } else {
        let text = walk.second.description(of: leaf.node, limit: 80)
        walk.differences.add(Difference(.extra, at: leaf.name, first: nil, second: text))
      }
    }
  }
}
