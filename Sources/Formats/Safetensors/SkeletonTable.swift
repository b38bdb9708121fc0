internal import Graph

/// The nodes of a graph that have a place of their own in the table of a skeleton, with numbers.
struct SkeletonTable {
  /// The nodes, each in the place of its number.
  private(set) var nodes: [NodeID] = []
  /// The number of each node, by its place in the graph; negative without one.
  private var numbers: [Int32]

  /// Numbers what of `graph` can be reached from `roots`, but the scalars that are written inline.
  init(of graph: TensorGraph, roots: [NodeID]) {
    numbers = [Int32](repeating: -1, count: graph.nodeCount)
    let reachable = graph.reachable(from: roots)
    var uses = [UInt8](repeating: 0, count: graph.nodeCount)
    for id in reachable {
      graph.forEachReference(of: id) { uses[Int($0.index)] = min(uses[Int($0.index)] + 1, 2) }
    }
    for id in reachable where !Self.isInline(id, of: graph, isShared: uses[Int(id.index)] > 1) {
      numbers[graph.index(of: id)] = Int32(nodes.count)
      nodes.append(id)
    }
  }

  /// The number of a node, `nil` for one that is written inline.
  func number(of id: NodeID) -> Int? {
    let number = numbers[Int(id.index)]
    return number < 0 ? nil : Int(number)
  }

  /// The largest int that every JSON reader keeps exactly (RFC 8259, section 6).
  private static let largestInlineInt = 1 << 53 - 1

  private static func isInline(_ id: NodeID, of graph: TensorGraph, isShared: Bool) -> Bool {
    switch graph[id] {
    case .none, .bool: true
    case .int(let value): value.magnitude <= largestInlineInt
    case .float(let value): value.isFinite
    case .string(let run): !isShared && String(validating: graph[run], as: UTF8.self) != nil
    default: false
    }
  }
}
