package import CkptBase
package import CkptGraph
package import CkptModels

/// The parts of an optimizer state dict, as made by `torch.optim.Optimizer.state_dict()` or
/// `FSDP.optim_state_dict()` and saved by OLMo's trainer.
///
/// Parameters are keys of `state` and elements of `params` in each group: names under fully sharded
/// data parallelism, otherwise numbers. OLMo adds `param_names` to the groups, which maps the
/// numbers to names.
package struct OptimizerState {
  /// The state of one parameter.
  package struct Parameter {
    /// The name without wrappers.
    package var name: ParameterName
    /// The values with their keys.
    package var values: [(key: NodeID, value: NodeID)]
  }

  /// A group of parameters with common settings.
  package struct Group {
    /// The dict.
    package var node: NodeID
    /// The parameters, in the order of the group.
    package var names: [ParameterName]
  }

  /// The parameters, in the order of `state`.
  package private(set) var parameters: [Parameter] = []
  /// The groups, in order.
  package private(set) var groups: [Group] = []
  /// The entries other than `state` and `param_groups`.
  package private(set) var others: [(key: NodeID, value: NodeID)] = []

  package static let stateKey = "state"
  package static let groupsKey = "param_groups"
  package static let parametersKey = "params"
  package static let namesKey = "param_names"
  package static let shardedKey = "sharded"
  /// The names of parameters that are numbers in the state.
  private var numberedNames: [Int: ParameterName] = [:]

  /// Whether `graph` looks like an optimizer state dict.
  package static func isState(_ graph: TensorGraph) -> Bool {
    let keys = (graph.entries(of: graph.root) ?? []).map(\.key)
    return [stateKey, groupsKey].allSatisfy { part in
      keys.contains { graph.string($0) == part }
    }
  }

  /// Finds the parts of the state dict in `graph`.
  ///
  /// - Throws: `unsupported` for another object, `malformed` if its parts disagree.
  package init(of graph: TensorGraph) throws(CheckpointError) {
    var state: NodeID?
    var groups: NodeID?
    for entry in graph.entries(of: graph.root) ?? [] {
      switch graph.string(entry.key) {
      case Self.stateKey: state = entry.value
      case Self.groupsKey: groups = entry.value
      default: others.append(entry)
      }
    }
    guard let state, let groups, let states = graph.entries(of: state),
      case .list(let run) = graph[groups]
    else {
      throw CheckpointError(
        .unsupported,
        "an optimizer state must have 'state' and 'param_groups', found "
          + graph.description(of: graph.root, limit: 60),
        remedy: "in a safetensors file the groups are in the skeleton or the layout olmo")
    }
    var namesOfNumbers: [Int: ParameterName] = [:]
    for group in graph[run] { try add(group, of: graph, &namesOfNumbers) }
    numberedNames = namesOfNumbers
    var seen: Set<ParameterName> = []
    for (key, value) in states {
      let name = try Self.name(of: key, in: graph, namesOfNumbers)
      guard let values = graph.entries(of: value) else {
        throw CheckpointError(
          .unsupported,
          "the state of '\(name.clean)' is \(graph.description(of: value, limit: 60)), not a dict")
      }
      guard seen.insert(name).inserted else {
        throw CheckpointError(.conflict, "the optimizer has two states for '\(name.clean)'")
      }
      parameters.append(Parameter(name: name, values: values))
    }
  }

  /// Returns the names of numbered parameters; empty for other objects.
  package static func names(in graph: TensorGraph) -> [Int: String] {
    guard isState(graph), let state = try? OptimizerState(of: graph) else { return [:] }
    return state.numberedNames.mapValues(\.clean)
  }

  /// The number of blocks in a group, according to the names.
  package var groupSize: Int { ParameterName.groupSize(of: groups.flatMap(\.names)) }

  private mutating func add(
    _ group: NodeID, of graph: TensorGraph, _ namesOfNumbers: inout [Int: ParameterName]
  ) throws(CheckpointError) {
    let number = groups.count
    var keys: ArraySlice<NodeID>?
    var names: ArraySlice<NodeID>?
    for (key, value) in graph.entries(of: group) ?? [] {
      guard case .list(let run) = graph[value] else { continue }
      switch graph.string(key) {
      case Self.parametersKey: keys = graph[run]
      case Self.namesKey: names = graph[run]
      default: continue
      }
    }
    guard let keys else {
      throw CheckpointError(.unsupported, "param group \(number) has no list 'params'")
    }
    if let names {
      guard names.count == keys.count else {
        throw CheckpointError(
          .malformed, "param group \(number) has \(keys.count) params and \(names.count) names")
      }
      for (key, name) in zip(keys, names) {
        guard case .int(let key) = graph[key], let name = graph.string(name) else { continue }
        guard namesOfNumbers.updateValue(ParameterName(name), forKey: key) == nil else {
          throw CheckpointError(.malformed, "parameter \(key) is in the param groups twice")
        }
      }
    }
    var group = Group(node: group, names: [])
    for key in keys { group.names.append(try Self.name(of: key, in: graph, namesOfNumbers)) }
    groups.append(group)
  }

  private static func name(
    of key: NodeID, in graph: TensorGraph, _ namesOfNumbers: [Int: ParameterName]
  ) throws(CheckpointError) -> ParameterName {
    if let name = graph.string(key) { return ParameterName(name) }
    if case .int(let number) = graph[key] {
      if let name = namesOfNumbers[number] { return name }
      if !namesOfNumbers.isEmpty {
        throw CheckpointError(
          .conflict, "optimizer parameter \(number) is in no param group with names",
          remedy: "the file was edited, or its groups belong to another optimizer")
      }
    }
    throw CheckpointError(
      .unsupported,
      "optimizer parameter \(graph.description(of: key, limit: 60)) has no name in "
        + "'param_names'",
      remedy: "OLMo's trainer saves the names since its first release; other programs do not")
  }
}
