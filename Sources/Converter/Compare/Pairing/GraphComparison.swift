package import CkptBase
package import CkptGraph
package import CkptSafetensors

/// A comparison of two checkpoints without tensor bytes.
///
/// It pairs the tensors for a later comparison.
///
/// Objects are compared as Python sees them, not as files spell them. Protocols, storage keys, the
/// order of sets, and moved modules make no difference.
package struct GraphComparison: Sendable {
  /// One of the checkpoints.
  package struct Side: Sendable {
    /// The contents of a file beyond tensors and their names.
    package enum Structure: Sendable {
      /// The whole object, as in a `.pt` file or a skeleton.
      case objects
      /// Only names and values. `metadata` can tie more names to tensors.
      case names(metadata: [(key: String, value: String)])
    }

    /// The contents.
    package var graph: TensorGraph
    /// The kind of contents.
    package var structure: Structure

    /// Creates a side.
    package init(_ graph: TensorGraph, _ structure: Structure) {
      self.graph = graph
      self.structure = structure
    }
  }

  /// The scope of the comparison: whole objects, or names only.
  package let scope: ComparisonScope
  /// The differences.
  package let differences: DifferenceList
  /// The tensors whose bytes remain to be compared, without duplicates.
  package let tensorPairs: [TensorPair]
  /// The parts that were not compared, in words.
  package let notCompared: [String]

  /// Compares two checkpoints without reading tensor data, in linear time.
  ///
  /// Up to `limit` differences are described, the others are counted. With `pairingTypes`, tensors
  /// of different dtypes are paired too, if they have one shape and can be compared as numbers.
  ///
  /// - Throws: `limitExceeded` if values are compared by name and shared containers multiply beyond
  ///   ``Limits``.
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
      notCompared = ["unused bytes inside storages (no tensor refers to them)"]
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

/// Compares the leaves of two graphs by name, if one of them is a flat list.
struct NameComparison {
  /// The parts that a flat list does not have.
  static let notCompared = [
    "nesting, and the types of containers", "the order of values",
    "which objects and which storages are shared",
    "strides, devices, requires_grad and lazy signs of tensors",
  ]

  /// The walk that compares the values.
  var walk: ObjectWalk
  private let first: NamedLeaves
  private let second: NamedLeaves

  /// Creates a comparison.
  ///
  /// - Throws: `limitExceeded` if shared containers multiply beyond ``Limits``.
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

/// The leaves of one side of a comparison, with a lookup by name.
package struct NamedLeaves: Sendable {
  /// All leaves, in order.
  package let all: [NamedLeaf]
  private var positions: [ExactString: Int] = [:]
  /// The names without an entry of their own, with the names that they are tied to.
  private var keepers: [ExactString: String] = [:]

  /// Finds the leaves of `side`.
  ///
  /// - Throws: `limitExceeded` if shared containers multiply beyond ``Limits``.
  package init(_ side: GraphComparison.Side) throws(CheckpointError) {
    all = try NamedLeaf.all(of: side.graph)
    for (index, leaf) in all.enumerated() { positions[ExactString(leaf.name)] = index }
    guard case .names(let metadata) = side.structure else { return }
    for (name, keeper) in metadata { keepers[ExactString(name)] = keeper }
  }

  /// Returns the position of the leaf with a name, or of the leaf that the name is tied to.
  package func position(of name: String) -> Int? {
    if let position = positions[ExactString(name)] { return position }
    return keepers[ExactString(name)].flatMap { positions[ExactString($0)] }
  }
}

/// Two tensors whose bytes remain to be compared.
///
/// They agree in everything else, except perhaps in dtype.
package struct TensorPair: Sendable {
  /// The name of the tensor, or the first of its names.
  package var name: String
  /// The tensor of the first graph.
  package var first: TensorID
  /// The tensor of the second graph.
  package var second: TensorID
}
