internal import Graph

/// Hashes of keys by which those of two graphs find each other.
///
/// Keys with equal hashes are compared afterwards like any other values. Unlike in Python, `1`,
/// `1.0` and `True` are different keys here.
struct KeyDigests {
  /// How many nodes of a key are looked into; tuples may share parts, so that a few bytes describe a
  /// key of astronomical size.
  private static let budget = 512

  /// The hash of a key, a node of `graph`.
  static func digest(
    of key: NodeID, in graph: TensorGraph, _ side: TextIdentities.Side,
    _ texts: inout TextIdentities
  ) -> Int {
    var hasher = Hasher()
    var pending = [key]
    var budget = Self.budget
    while let id = pending.popLast(), budget > 0 {
      budget -= 1
      switch graph[id] {
      case .none: hasher.combine(0)
      case .bool(let value): hasher.combine(value)
      case .int(let value):
        hasher.combine(1)
        hasher.combine(value)
      case .float(let value):
        hasher.combine(2)
        hasher.combine(value.bitPattern)
      case .string(let run): combine(3, id, run)
      case .bytes(let run): combine(4, id, run)
      case .largeInt(let run): combine(5, id, run)
      case .tuple(let run):
        hasher.combine(6)
        hasher.combine(run.count)
        pending += graph[run].prefix(budget).reversed()
      case .frozenSet(let run):
        hasher.combine(7)
        hasher.combine(run.count)
      // Libraries move classes between their modules, which is for the comparison to judge.
      case .global(_, let name): pending.append(name)
      // What Python hashes by identity is told apart when it is compared, in the order it is in.
      case .list, .dict, .set, .byteArray, .object, .persistent, .tensor: hasher.combine(8)
      }
    }
    return hasher.finalize()

    func combine(_ kind: Int, _ id: NodeID, _ run: ByteRun) {
      hasher.combine(kind)
      if let number = texts.number(of: id, run, in: graph, side) {
        hasher.combine(number)
      } else {
        hasher.combine(graph[run])
      }
    }
  }
}
