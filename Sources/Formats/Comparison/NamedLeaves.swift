package import Bytes
package import Safetensors

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
  package init(_ side: GraphComparison.Side) throws(FormatError) {
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
