package import Bytes
package import Graph

/// A leaf of a graph under the name that layout `plain` gives it.
package struct NamedLeaf: Sendable {
  /// The name, different from all others.
  package var name: String
  /// The value.
  package var node: NodeID

  /// Every leaf of `graph` in order, empty dicts included.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
  package static func all(of graph: TensorGraph) throws(FormatError) -> [NamedLeaf] {
    let leaves = try LeafWalk.leaves(of: graph)
    var names = TensorNames(graph: graph, layout: .plain)
    names.reserveCapacity(leaves.all.count)
    var named: [NamedLeaf] = []
    named.reserveCapacity(leaves.all.count)
    for leaf in leaves.all {
      let name = try names.name(of: leaf, at: leaves.path(to: leaf))
      named.append(NamedLeaf(name: name, node: leaf.node))
    }
    return named
  }
}
