internal import CkptBase
package import CkptGraph

/// The unknown classes and functions of a graph.
extension TensorGraph {
  /// Returns the dotted names, sorted and without duplicates.
  ///
  /// A nested class has its own name, not that of the outer class.
  package func opaqueGlobals() -> [String] {
    var opaque: [(id: NodeID, name: String)] = []
    var owners: Set<NodeID> = []
    var callables: Set<NodeID> = []
    for index in 0..<nodeCount {
      let id = NodeID(index: index)
      switch self[id] {
      case .global(let module, let name):
        guard let module = string(module), let name = string(name),
          GlobalPolicy.verdict(module: module, name: name) == .opaque
        else { continue }
        opaque.append((id, "\(module).\(name)"))
      case .object(let object):
        callables.insert(self[object].callable)
        guard let (module, name) = nestedClass(id) else { continue }
        opaque.append((id, "\(module).\(name)"))
        if let owner = tuple(self[object].arguments)?.first { owners.insert(owner) }
      default: continue
      }
    }
    guard !opaque.isEmpty else { return [] }
    let isReachable = isReachable(from: [root] + discarded)
    var names: Set<ExactString> = []
    for (id, name) in opaque where isReachable[index(of: id)] {
      if owners.contains(id), !callables.contains(id) { continue }
      names.insert(ExactString(name))
    }
    return names.map(\.text).sorted()
  }
}
