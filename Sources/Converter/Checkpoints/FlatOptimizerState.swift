package import CkptBase
package import CkptGraph

/// An optimizer state as one flat dict, as OLMo-core saves it.
///
/// The keys are `state.NAME.FIELD` and `param_groups.NAME.FIELD`, so every parameter has settings of
/// its own (`flatten_optimizer_state_dict` in `torch/distributed/checkpoint/state_dict.py`).
package enum FlatOptimizerState {
  private static let state = "\(OptimizerState.stateKey)."
  private static let groups = "\(OptimizerState.groupsKey)."

  /// Whether the root of `graph` is such a dict.
  package static func isState(_ graph: TensorGraph) -> Bool {
    guard let first = graph.entries(of: graph.root)?.first, let key = graph.string(first.key) else {
      return false
    }
    return key.begins(with: state) || key.begins(with: groups)
  }

  /// Nests the flat dict at the root of `graph` as `torch.optim.Optimizer.state_dict()` does, with
  /// names in place of numbers.
  ///
  /// Parameters with equal settings become one group.
  ///
  /// - Throws: `unsupported` for a key of another kind, `malformed` if a parameter has a state and
  ///   no settings, `limitExceeded` if the graph is full.
  package static func nest(_ graph: inout TensorGraph) throws(CheckpointError) {
    var states = Fields()
    var settings = Fields()
    for entry in graph.entries(of: graph.root) ?? [] {
      let key = graph.string(entry.key) ?? ""
      if key.begins(with: state) {
        try states.add(key.dropFirst(state.count), entry.value, to: &graph)
      } else if key.begins(with: groups) {
        try settings.add(key.dropFirst(groups.count), entry.value, to: &graph)
      } else {
        throw CheckpointError(
          .unsupported,
          "a flat optimizer state has only 'state.' and 'param_groups.', found "
            + graph.description(of: entry.key, limit: 60))
      }
    }
    var writer = OptimizerWriter(graph)
    for (name, values) in states.entries { writer.add(.init(name: name, values: values)) }
    for (names, values) in groups(of: settings, in: graph) {
      let parameters = try writer.graph.addString(OptimizerState.parametersKey)
      let dict = try writer.graph.addDict(values + [(parameters, TensorGraph.none)])
      writer.add(.init(settings: dict, names: names))
    }
    graph = try writer.write(.fsdp)
  }

  private static func groups(
    of settings: Fields, in graph: TensorGraph
  ) -> [(names: [String], values: [(key: NodeID, value: NodeID)])] {
    var groups: [(names: [String], values: [(key: NodeID, value: NodeID)])] = []
    var places: [String: Int] = [:]
    for (name, values) in settings.entries {
      let text = values.map {
        "\(graph.description(of: $0.key)): \(signature(of: $0.value, graph))"
      }
      .joined(separator: "\n")
      if let place = places[text] {
        groups[place].names.append(name)
      } else {
        places[text] = groups.count
        groups.append(([name], values))
      }
    }
    return groups
  }

  /// Returns a text that equal settings share; each tensor is different from all others.
  private static func signature(of value: NodeID, _ graph: TensorGraph) -> String {
    if case .tensor(let id) = graph[value] { return "tensor \(id)" }
    return graph.description(of: value, limit: 1000)
  }

  /// The fields of parameters, in order of their first appearance.
  private struct Fields {
    private(set) var entries: [(name: String, values: [(key: NodeID, value: NodeID)])] = []
    private var places: [ExactString: Int] = [:]

    /// Adds a value with the key `NAME.FIELD`.
    mutating func add(
      _ key: Substring, _ value: NodeID, to graph: inout TensorGraph
    ) throws(CheckpointError) {
      guard let dot = key.lastIndex(of: ".") else {
        throw CheckpointError(.malformed, "'\(key)' in the optimizer state names no field")
      }
      let name = String(key[..<dot])
      let field = try graph.addString(String(key[key.index(after: dot)...]))
      if let place = places[name] {
        entries[place].values.append((field, value))
      } else {
        places[name] = entries.count
        entries.append((name, [(field, value)]))
      }
    }
  }
}
