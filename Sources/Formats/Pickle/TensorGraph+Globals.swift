internal import Bytes
package import Graph

extension TensorGraph {
  /// The dotted names of globals whose meaning is not known here, sorted, each once.
  package func opaqueGlobals() -> [String] {
    var names: Set<ExactString> = []
    for id in reachable(from: [root] + discarded) {
      guard case .global(let module, let name) = self[id], let module = string(module),
        let name = string(name), GlobalPolicy.verdict(module: module, name: name) == .opaque
      else { continue }
      names.insert(ExactString("\(module).\(name)"))
    }
    return names.map(\.text).sorted()
  }
}
