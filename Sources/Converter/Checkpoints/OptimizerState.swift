package import CkptBase
package import CkptGraph
package import CkptModels

/// The parts of an optimizer's state dict, as `torch.optim.Optimizer.state_dict()` and
/// `FSDP.optim_state_dict()` make it and OLMo's trainer saves it.
///
/// Parameters are keys of `state` and elements of each group's `params`: names under fully sharded
/// data parallelism, numbers otherwise. OLMo adds `param_names` to the groups, which tells the names
/// that belong to the numbers.
package struct OptimizerState {
  /// What an optimizer keeps of one parameter.
  package struct Parameter {
    /// The name without wrappers.
    package var name: ParameterName
    /// Each value with the node that is its key.
    package var values: [(key: NodeID, value: NodeID)]
  }

  /// Parameters that share their settings.
  package struct Group {
    /// The dict.
    package var node: NodeID
    /// The parameters in the group's order.
    package var names: [ParameterName]
  }

  /// The parameters in the order of `state`.
  package private(set) var parameters: [Parameter] = []
  /// The groups in their order.
  package private(set) var groups: [Group] = []
  /// The entries beside `state` and `param_groups`.
  package private(set) var others: [(key: NodeID, value: NodeID)] = []

  package static let stateKey = "state"
  package static let groupsKey = "param_groups"
  static let parametersKey = "params"
  static let namesKey = "param_names"
  static let shardedKey = "sharded"

  /// Whether `graph` looks like the state dict of an optimizer.
  package static func isState(_ graph: TensorGraph) -> Bool {
    let keys = (graph.entries(of: graph.root) ?? []).map(\.key)
    return [stateKey, groupsKey].allSatisfy { part in
      keys.contains { graph.string($0) == part }
    }
  }

  /// Finds the parts of the state dict that `graph` is.
  ///
  /// - Throws: `unsupported` for another object, `malformed` where its parts disagree.
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
        "an optimizer's state has 'state' and 'param_groups', and this is "
          + graph.description(of: graph.root, limit: 60),
        remedy: "a safetensors file has the groups in its skeleton, or in the layout olmo")
    }
    var namesOfNumbers: [Int: ParameterName] = [:]
    for group in graph[run] { try add(group, of: graph, &namesOfNumbers) }
    var seen: Set<ParameterName> = []
    for (key, value) in states {
      let name = try Self.name(of: key, in: graph, namesOfNumbers)
      guard let values = graph.entries(of: value) else {
        throw CheckpointError(
          .unsupported,
          "the state of '\(name.clean)' is \(graph.description(of: value, limit: 60)), not a dict")
      }
      guard seen.insert(name).inserted else {
        throw CheckpointError(.conflict, "the optimizer has two states of '\(name.clean)'")
      }
      parameters.append(Parameter(name: name, values: values))
    }
  }

  /// The size of groups of blocks in the names.
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
          .conflict, "parameter \(number) of the optimizer is in no param group with names",
          remedy: "the file was edited, or its groups are of another optimizer")
      }
    }
    throw CheckpointError(
      .unsupported,
      "parameter \(graph.description(of: key, limit: 60)) of the optimizer has no name in "
        + "'param_names'",
      remedy: "OLMo's trainer saves the names since its first release; other programs do not")
  }
}
