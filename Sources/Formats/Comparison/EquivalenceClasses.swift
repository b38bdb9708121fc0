/// Which nodes of two graphs are taken for equal so far.
///
/// Comparing two graphs of shared nodes pair by pair could take the product of their sizes. Two
/// nodes that are already known to be equal to a third need no look (Hopcroft and Karp, "A linear
/// algorithm for testing equivalence of finite automata", 1971), so there are never more looks than
/// nodes.
struct EquivalenceClasses {
  private var parents: [Int32]
  private let firstCount: Int

  /// Classes of one node each.
  init(firstCount: Int, secondCount: Int) {
    // Safe from truncation: `Limits.graphNodes` keeps both together far below `Int32.max`.
    parents = (0..<Int32(firstCount + secondCount)).map(\.self)
    self.firstCount = firstCount
  }

  /// Takes node number `first` of the first graph and `second` of the second for equal; returns
  /// whether that was not known.
  mutating func unite(_ first: Int, _ second: Int) -> Bool {
    let (left, right) = (root(of: first), root(of: firstCount + second))
    guard left != right else { return false }
    // Towards the lower number: with halved paths any choice stays near linear.
    parents[max(left, right)] = Int32(min(left, right))
    return true
  }

  private mutating func root(of node: Int) -> Int {
    var node = node
    while Int(parents[node]) != node {
      parents[node] = parents[Int(parents[node])]
      node = Int(parents[node])
    }
    return node
  }
}
