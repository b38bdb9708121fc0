package import Bytes
package import Graph
internal import Safetensors

/// What two checkpoints have in common and what not, but for the bytes of their tensors.
///
/// Objects are compared as Python sees them, not as files spell them: protocols, storage keys, the
/// order of sets, and modules that a library has moved make no difference.
package struct GraphComparison: Sendable {
  /// One of the checkpoints.
  package struct Side: Sendable {
    /// What a file tells beside tensors and their names.
    package enum Structure: Sendable {
      /// All that the object was, as a `.pt` file or a skeleton tells it.
      case objects
      /// Names and values only; `metadata` may map further names to names of tensors that tensors
      /// are tied to.
      case names(metadata: [(key: String, value: String)])
    }

    /// The contents.
    package var graph: TensorGraph
    /// How much the file tells.
    package var structure: Structure

    /// A side.
    package init(_ graph: TensorGraph, _ structure: Structure) {
      self.graph = graph
      self.structure = structure
    }
  }

  /// How much could be compared.
  package enum Scope: String, Sendable {
    /// Everything: values, types, order, sharing, layout in memory.
    case objects
    /// What has the same name: dtypes and shapes of tensors, and values.
    case tensorsByName
  }

  /// How much could be compared.
  package let scope: Scope
  /// What differs.
  package let differences: DifferenceList
  /// The tensors whose bytes are still to be compared, none of them twice.
  package let tensorPairs: [TensorPair]
  /// What was not compared, in words.
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
  ) throws(FormatError) {
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
      scope = .tensorsByName
      notCompared = NameComparison.notCompared
      differences = names.walk.differences
      tensorPairs = names.walk.tensorPairs
    }
  }
}
