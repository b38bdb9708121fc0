package import CkptBase
package import CkptGraph
internal import CkptModels

/// Builds an optimizer state dict; the reverse of ``OptimizerState``.
package struct OptimizerWriter {
  /// The state of one parameter.
  package struct Parameter {
    package let name: String
    package let values: [(key: NodeID, value: NodeID)]

    /// Creates the state of a parameter.
    package init(name: String, values: [(key: NodeID, value: NodeID)]) {
      self.name = name
      self.values = values
    }
  }

  /// A group: a dict with the settings to keep, and its parameters.
  package struct Group {
    package let settings: NodeID
    package let names: [String]

    /// Creates a group.
    package init(settings: NodeID, names: [String]) {
      self.settings = settings
      self.names = names
    }
  }

  /// The graph with the values, which gets the new dicts.
  package var graph: TensorGraph
  /// The entries other than `state` and `param_groups`.
  package var others: [(key: NodeID, value: NodeID)] = []
  private var parameters: [Parameter] = []
  private var groups: [Group] = []

  package init(_ graph: TensorGraph) { self.graph = graph }

  package mutating func add(_ parameter: Parameter) { parameters.append(parameter) }

  package mutating func add(_ group: Group) { groups.append(group) }

  /// Returns the graph with the state dict as its root, with keys of the given kind.
  ///
  /// - Throws: `limitExceeded` if the graph is full, `malformed` for a state without a group.
  package consuming func write(_ kind: OptimizerNames) throws(CheckpointError) -> TensorGraph {
    var keys: [ExactString: NodeID] = [:]
    for name in groups.flatMap(\.names) {
      guard keys[name] == nil else {
        throw CheckpointError(.malformed, "parameter '\(name)' is in the param groups twice")
      }
      keys[name] = try kind == .fsdp ? graph.addString(name) : graph.add(.int(keys.count))
    }
    var state: [NodeID] = []
    for parameter in parameters {
      guard let key = keys[parameter.name] else {
        throw CheckpointError(
          .malformed,
          "the optimizer has a state for '\(parameter.name)', which is in no param group")
      }
      state += [key, try graph.addDict(parameter.values)]
    }
    var dicts: [NodeID] = []
    for group in groups { dicts.append(try addGroup(group, keys, kind)) }
    var root: [NodeID] = [
      try graph.addString(OptimizerState.stateKey),
      try graph.add(.dict(graph.addChildren(state[...]))),
      try graph.addString(OptimizerState.groupsKey),
      try graph.add(.list(graph.addChildren(dicts[...]))),
    ]
    for other in others { root += [other.key, other.value] }
    graph.root = try graph.add(.dict(graph.addChildren(root[...])))
    return graph
  }

  /// Adds a copy of a group's dict with other parameters.
  private mutating func addGroup(
    _ group: Group, _ keys: [ExactString: NodeID], _ kind: OptimizerNames
  ) throws(CheckpointError) -> NodeID {
    var entries: [(key: NodeID, value: NodeID)] = []
    for entry in graph.entries(of: group.settings) ?? [] {
      var value = entry.value
      switch graph.string(entry.key) {
      case OptimizerState.parametersKey: value = try addList(group.names.compactMap { keys[$0] })
      case OptimizerState.namesKey: value = try addNames(group.names, kind)
      case OptimizerState.shardedKey: value = kind == .fsdp ? TensorGraph.true : TensorGraph.false
      default: break
      }
      entries.append((entry.key, value))
    }
    // Numbers are meaningless without their names.
    let hasNames = entries.contains { graph.string($0.key) == OptimizerState.namesKey }
    if kind == .single, !hasNames {
      entries.append(
        (try graph.addString(OptimizerState.namesKey), try addNames(group.names, kind)))
    }
    return try graph.addDict(entries)
  }

  /// Adds the names in the form of the trainer.
  ///
  /// For sharding they have no wrappers, because the trainer removes wrappers itself.
  private mutating func addNames(
    _ names: [String], _ kind: OptimizerNames
  ) throws(CheckpointError) -> NodeID {
    var items: [NodeID] = []
    for name in names {
      items.append(
        try graph.addString(kind == .fsdp ? name : ParameterName(name).underDataParallelism))
    }
    return try addList(items)
  }

  private mutating func addList(_ items: [NodeID]) throws(CheckpointError) -> NodeID {
    try graph.add(.list(graph.addChildren(items[...])))
  }
}

/// A naming of parameters in an optimizer state.
///
/// It decides which trainers can load the state.
@nonexhaustive
public enum OptimizerNames: String, Hashable, Sendable, CaseIterable {
  /// Names, as trainers under fully sharded data parallelism use.
  case fsdp
  /// Numbers, as trainers on one device or under distributed data parallelism use.
  case single
}

extension OptimizerNames {
  /// Names the parameters of the optimizer state in `graph` in this way.
  ///
  /// Under fully sharded data parallelism, OLMo's trainer treats the prefix `module.` as a part of
  /// the name and then finds no such parameter (`_make_optim_state_dict_compatible` in
  /// `olmo/checkpoint.py`). A state from a single device therefore does not load there unchanged.
  /// Values and their order stay the same.
  ///
  /// - Throws: the errors of ``OptimizerState/init(of:)``.
  package func apply(to graph: inout TensorGraph) throws(CheckpointError) {
    let state = try OptimizerState(of: graph)
    var writer = OptimizerWriter(graph)
    for parameter in state.parameters {
      writer.add(.init(name: parameter.name.clean, values: parameter.values))
    }
    for group in state.groups {
      writer.add(.init(settings: group.node, names: group.names.map(\.clean)))
    }
    writer.others = state.others
    graph = try writer.write(self)
  }

  /// Returns the error for an input without parameters to name.
  package static func nothingToName(_ reason: String) -> CheckpointError {
    CheckpointError(.unsupported, reason, remedy: .action(.keepOptimizerNames))
  }
}
