package import CkptBase
package import CkptGraph
package import CkptSafetensors

/// A comparison of two checkpoints but for the bytes of their tensors, which it pairs.
///
/// Objects are compared as Python sees them, not as files spell them: protocols, storage keys, the
/// order of sets, and modules that a library has moved make no difference.
package struct GraphComparison: Sendable {
  /// One of the checkpoints.
  package struct Side: Sendable {
    /// The things that a file tells beside tensors and their names.
    package enum Structure: Sendable {
      /// All that the object was, as a `.pt` file or a skeleton tells it.
      case objects
      /// Names and values only; `metadata` may map further names to names of tensors that tensors
      /// are tied to.
      case names(metadata: [(key: String, value: String)])
    }

    /// The contents.
    package var graph: TensorGraph
    /// The things that the file tells.
    package var structure: Structure

    /// A side.
    package init(_ graph: TensorGraph, _ structure: Structure) {
      self.graph = graph
      self.structure = structure
    }
  }

  /// The extent of what could be compared: all that objects are, or what has a name.
  package let scope: ComparisonScope
  /// The differences.
  package let differences: DifferenceList
  /// The tensors whose bytes are still to be compared, none of them twice.
  package let tensorPairs: [TensorPair]
  /// The parts that were not compared, in words.
  package let notCompared: [String]

  /// Compares two checkpoints without reading tensor data, in time linear in their objects.
  ///
  /// Up to `limit` differences are described; the others are counted. With `pairingTypes`, tensors
  /// of one shape and of types that can be compared as numbers are pairs as well.
  ///
  /// - Throws: `limitExceeded` when values are compared by name and shared containers multiply
  ///   beyond ``Limits``.
  package init(
    _ first: Side, _ second: Side, limit: Int = DifferenceList.defaultLimit,
    pairingTypes: Bool = false
  ) throws(CheckpointError) {
    switch (first.structure, second.structure) {
    case (.objects, .objects):
      var walk = ObjectWalk(first.graph, second.graph, isFlat: false, limit: limit)
      walk.pairsTypes = pairingTypes
      walk.compare(first.graph.root, second.graph.root)
      scope = .objects
      notCompared = ["bytes of storages that belong to no tensor"]
      differences = walk.differences
      tensorPairs = walk.tensorPairs
    default:
      var names = try NameComparison(first, second, limit: limit)
      names.walk.pairsTypes = pairingTypes
      names.run()
      scope = .names
      notCompared = NameComparison.notCompared
      differences = names.walk.differences
      tensorPairs = names.walk.tensorPairs
    }
  }
}

/// Compares the leaves of two graphs by name, where one of them is a flat list of them.
struct NameComparison {
  /// The parts that a flat list does not tell.
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
  ) throws(CheckpointError) {
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

/// The leaves of one side of a comparison, to be found by name.
package struct NamedLeaves: Sendable {
  /// All of them, in order.
  package let all: [NamedLeaf]
  private var positions: [ExactString: Int] = [:]
  /// The names that tensors of a file are tied to, by those it has no entry for.
  private var keepers: [ExactString: String] = [:]

  /// The leaves of `side`.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
  package init(_ side: GraphComparison.Side) throws(CheckpointError) {
    all = try NamedLeaf.all(of: side.graph)
    for (index, leaf) in all.enumerated() { positions[ExactString(leaf.name)] = index }
    guard case .names(let metadata) = side.structure else { return }
    for (name, keeper) in metadata { keepers[ExactString(name)] = keeper }
  }

  /// The number of the leaf that has a name, or whose tensor the name is tied to.
  package func position(of name: String) -> Int? {
    if let position = positions[ExactString(name)] { return position }
    return keepers[ExactString(name)].flatMap { positions[ExactString($0)] }
  }
}

/// Two tensors that agree in everything but their bytes, and perhaps their element types, which have
/// yet to be compared.
package struct TensorPair: Sendable {
  /// The name of the tensor, or the first of its names.
  package var name: String
  /// The tensor of the first graph.
  package var first: TensorID
  /// The tensor of the second graph.
  package var second: TensorID
}
