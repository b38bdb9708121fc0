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

  /// The walk that compares the values.
  var walk: ObjectWalk
  private let first: NamedLeaves
  private let second: NamedLeaves

  /// A comparison that has not begun.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
  init(
    _ first: GraphComparison.Side, _ second: GraphComparison.Side, limit: Int
  ) throws(FormatError) {
    walk = ObjectWalk(first.graph, second.graph, isFlat: true, limit: limit)
    self.first = try NamedLeaves(first)
    self.second = try NamedLeaves(second)
  }

  /// Compares all leaves.
  mutating func run() {
    var isFound = [Bool](repeating: false, count: second.all.count)
    for leaf in first.all {
      if let position = second.position(of: leaf.name) {
        isFound[position] = true
        walk.trail.restart(at: leaf.name)
        walk.compare(leaf.node, second.all[position].node)
      } else {
        let text = walk.first.description(of: leaf.node, limit: 80)
        walk.differences.add(Difference(.missing, at: leaf.name, first: text, second: nil))
      }
    }
    for (leaf, isFound) in zip(second.all, isFound) where !isFound {
      if let position = first.position(of: leaf.name) {
        walk.trail.restart(at: leaf.name)
        walk.compare(first.all[position].node, leaf.node)
      } else {
        let text = walk.second.description(of: leaf.node, limit: 80)
        walk.differences.add(Difference(.extra, at: leaf.name, first: nil, second: text))
      }
    }
  }
}
