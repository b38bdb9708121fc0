package import CkptBase
package import CkptGraph
internal import CkptModels

/// Puts an optimizer's state dict together: the reverse of ``OptimizerState``.
package struct OptimizerWriter {
  /// What the optimizer keeps of one parameter.
  package struct Parameter {
    var name: String
    var values: [(key: NodeID, value: NodeID)]

    /// Makes the state of a parameter.
    package init(name: String, values: [(key: NodeID, value: NodeID)]) {
      self.name = name
      self.values = values
    }
  }

  /// A group: a dict whose settings are taken over, and the parameters in it.
  package struct Group {
    var settings: NodeID
    var names: [String]

    /// Makes a group.
    package init(settings: NodeID, names: [String]) {
      self.settings = settings
      self.names = names
    }
  }

  /// Where the values are, and the new dicts will be.
  package var graph: TensorGraph
  /// The entries beside `state` and `param_groups`.
  package var others: [(key: NodeID, value: NodeID)] = []
  private var parameters: [Parameter] = []
  private var groups: [Group] = []

  package init(_ graph: TensorGraph) { self.graph = graph }

  package mutating func add(_ parameter: Parameter) { parameters.append(parameter) }

  package mutating func add(_ group: Group) { groups.append(group) }

  /// The graph whose root is the state dict, with keys of the given kind.
  ///
  /// - Throws: `limitExceeded` when the graph is full, `malformed` for a state without a group.
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
          .malformed, "the optimizer has a state of '\(parameter.name)', which is in no group")
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

  /// A copy of a group's dict with other parameters.
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
    // Numbers mean nothing without the names that belong to them.
    let hasNames = entries.contains { graph.string($0.key) == OptimizerState.namesKey }
    if kind == .single, !hasNames {
      entries.append(
        (try graph.addString(OptimizerState.namesKey), try addNames(group.names, kind)))
    }
    return try graph.addDict(entries)
  }

  /// The names as the trainer has them; under sharding, where it takes wrappers out of them by
  /// itself, those without any.
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

extension TensorGraph {
  /// Adds a tensor that shows the same bytes as another and comes from no pickle.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func addView(of id: TensorID) throws(CheckpointError) -> NodeID {
    var tensor = self[id]
    tensor.node = try add(.none)
    tensor.origin = .plain
    add(tensor)
    return tensor.node
  }
}

/// How an optimizer's state refers to its parameters, which decides which trainer loads it.
@nonexhaustive
public enum OptimizerNames: String, Hashable, Sendable, CaseIterable {
  /// By name, as trainers under fully sharded data parallelism write and read it.
  case fsdp
  /// By number, as a trainer on one device or under distributed data parallelism does it.
  case single
}

extension OptimizerNames {
  /// Gives the parameters in the optimizer's state that `graph` is keys of this kind.
  ///
  /// OLMo's trainer takes the prefix `module.` for a part of the name under fully sharded data
  /// parallelism and then finds no parameter of that name (`_make_optim_state_dict_compatible` in
  /// `olmo/checkpoint.py`), so what a single device has written does not load there as it is. The
  /// values and their order stay what they are.
  ///
  /// - Throws: what ``OptimizerState/init(of:)`` throws.
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

  /// The error for an input without what was to be named.
  package static func nothingToName(_ reason: String) -> CheckpointError {
    CheckpointError(.unsupported, reason, remedy: .action(.keepOptimizerNames))
  }
}
