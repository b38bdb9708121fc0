internal import Graph

/// What the state in a file is, as far as its first level tells.
enum StateKind: String {
  /// Tensors by their names.
  case model = "a model's state"
  /// Moments and groups of parameters.
  case optimizer = "an optimizer's state"
  /// Where in its data a run was.
  case trainer = "a trainer's state"

  /// The kind of state in `graph`; `nil` for anything else.
  init?(of graph: TensorGraph) {
    guard let entries = graph.entries(of: graph.root) else { return nil }
    if OptimizerState.isState(graph) {
      self = .optimizer
    } else if graph.value(of: "global_step", in: graph.root) != nil {
      self = .trainer
    } else if !entries.isEmpty,
      entries.allSatisfy({ entry in
        guard case .tensor = graph[entry.value] else { return false }
        // A flat file of an optimizer has tensors only, too.
        return graph.string(entry.key)?.hasPrefix("\(OptimizerState.stateKey).") == false
      })
    {
      self = .model
    } else {
      return nil
    }
  }

  /// What to say of a file that has another state in it than its name says; `nil` if it has not.
  static func mixUp(_ graph: TensorGraph, in path: String, expected: StateKind) -> Finding? {
    guard let kind = StateKind(of: graph), kind != expected else { return nil }
    return Finding(
      .problem, .content, at: path, "this is \(kind.rawValue), not \(expected.rawValue)",
      remedy: "it has another file's name; fetch the right one, or name it right")
  }
}
