package import CkptBase
package import CkptGraph

/// The parts of a training state that are files of their own: the model, the optimizer's state, and
/// what else there is.
package enum StateDictParts {
  package static let model = "model"
  private static let optimizers = ["optim", "optimizer"]
  /// The part with everything else.
  package static let rest = "other"

  /// Whether a part of that name is the state of an optimizer.
  package static func isOptimizer(_ name: String) -> Bool { optimizers.contains(name) }

  /// The root of each part with the name of its file.
  ///
  /// The entries `model` and `optim` or `optimizer` of a dict are parts. The other entries are the
  /// model if none is called so, and a part `other` otherwise.
  /// - Throws: `limitExceeded` when the graph is full.
  package static func split(
    _ graph: inout TensorGraph
  ) throws(CheckpointError) -> [(name: String, root: NodeID)] {
    guard let entries = graph.entries(of: graph.root) else { return [(model, graph.root)] }
    var parts: [(name: String, root: NodeID)] = []
    var others: [(key: NodeID, value: NodeID)] = []
    for entry in entries {
      let name = graph.name(entry.key) ?? ""
      if name == model || isOptimizer(name), graph.isMapping(entry.value) {
        parts.append((name, entry.value))
      } else {
        others.append(entry)
      }
    }
    guard !others.isEmpty else { return parts }
    let name = parts.contains { $0.name == model } ? rest : model
    return [(name, try graph.addDict(others))] + parts
  }
}
