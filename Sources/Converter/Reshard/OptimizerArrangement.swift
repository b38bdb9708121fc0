internal import CkptBase
internal import CkptCheckpoints
internal import CkptGraph
internal import CkptModels

/// Arranges an optimizer state as a program loads it: parameters by name, and in each group every field
/// that any version of PyTorch asks for.
///
/// A field that the checkpoint lacks is an error when it is loaded; one that it has in excess is ignored.
struct OptimizerArrangement {
  let target: ReshardTarget
  /// The form of the result; `nil` for the one of the program, or of a state that is flat already.
  let form: OptimizerForm?
  /// The learning rate from which schedules compute theirs; `nil` if the input does not tell.
  let peakRate: Double?

  /// The names of fields that were added to groups.
  private(set) var added: [String] = []
  /// The names of fields that were dropped from groups and states.
  private(set) var dropped: [String] = []
  /// Whether no group has the rate that schedules need.
  private(set) var lacksPeakRate = false

  /// Creates an arrangement.
  init(target: ReshardTarget, form: OptimizerForm?, peakRate: Double?) {
    self.target = target
    self.form = form
    self.peakRate = peakRate
  }

  /// The fields of groups and states that only OLMo's trainer has.
  private static let olmoFields: Set<String> = [
    OptimizerState.namesKey, OptimizerState.shardedKey, "max_grad_norm", "max_grad_norm_ratio",
    "grad_norm_exp_avg",
  ]

  /// The fields of Adam and AdamW in PyTorch 2.2 to 2.13, with the values that change nothing
  /// (`torch/optim/adam.py`).
  private static let adamFields: [(name: String, value: NodeID)] = [
    ("amsgrad", TensorGraph.false), ("maximize", TensorGraph.false),
    ("foreach", TensorGraph.none), ("capturable", TensorGraph.false),
    ("differentiable", TensorGraph.false), ("fused", TensorGraph.none),
    ("decoupled_weight_decay", TensorGraph.true),
  ]

  private static let peakRateKey = "initial_lr"

  /// Returns the arranged state of `optimizer`, whose parameters are those of `model`.
  ///
  /// - Throws: `unsupported` for parameters without names, and for a flat state where a nested one is
  ///   needed.
  mutating func arrange(
    _ optimizer: NodeID, of model: NodeID, in graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    let root = graph.root
    defer { graph.root = root }
    graph.root = optimizer
    guard OptimizerState.isState(graph) else {
      guard form ?? target.optimizerForm == .flat || target == .torch && form == nil else {
        throw CheckpointError(
          .unsupported, "the optimizer state is flat, and a nested one is needed",
          remedy: "convert it with a flat optimizer state, which current programs load as well")
      }
      return optimizer
    }
    if let numbers = ParameterNumbers(optimizer, in: graph) {
      try numbers.addNames(from: model, to: &graph)
    }
    let state = try OptimizerState(of: graph)
    var parameters: [OptimizerWriter.Parameter] = []
    for parameter in state.parameters {
      let values = parameter.values.filter { keep(graph.string($0.key)) }
      parameters.append(.init(name: parameter.name.clean, values: values))
    }
    var groups: [OptimizerWriter.Group] = []
    for group in state.groups {
      let settings = try graph.addDict(settings(of: group.node, in: &graph))
      groups.append(.init(settings: settings, names: group.names.map(\.clean)))
    }
    if form ?? target.optimizerForm == .flat {
      return try flattened(parameters, groups, state.others, in: &graph)
    }
    var writer = OptimizerWriter(graph)
    for parameter in parameters { writer.add(parameter) }
    for group in groups { writer.add(group) }
    writer.others = state.others
    graph = try writer.write(.fsdp)
    return graph.root
  }

  private mutating func keep(_ field: String?) -> Bool {
    guard let field, !target.keepsOLMoFields, Self.olmoFields.contains(field) else { return true }
    if !dropped.contains(field) { dropped.append(field) }
    return false
  }

  /// Returns the entries of a group, with those that are missing.
  private mutating func settings(
    of group: NodeID, in graph: inout TensorGraph
  ) throws(CheckpointError) -> [(key: NodeID, value: NodeID)] {
    var entries = (graph.entries(of: group) ?? []).filter { keep(graph.string($0.key)) }
    guard !target.keepsOLMoFields else { return entries }
    func has(_ name: String) -> Bool { entries.contains { graph.text(of: $0.key, equals: name) } }
    var missing: [(name: String, value: NodeID)] = []
    if has("betas") { missing = Self.adamFields.filter { !has($0.name) } }
    if !has(Self.peakRateKey) {
      if let peakRate {
        missing.append((Self.peakRateKey, try graph.add(.float(peakRate))))
      } else {
        lacksPeakRate = true
      }
    }
    for (name, value) in missing {
      entries.append((try graph.addString(name), value))
      if !added.contains(name) { added.append(name) }
    }
    return entries
  }

  /// Returns a dict with an entry for each value of each parameter
  /// (`torch/distributed/checkpoint/state_dict.py`, `_flatten_optim_state_dict`).
  private func flattened(
    _ parameters: [OptimizerWriter.Parameter], _ groups: [OptimizerWriter.Group],
    _ others: [(key: NodeID, value: NodeID)], in graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    var entries: [(key: NodeID, value: NodeID)] = []
    for parameter in parameters {
      for (key, value) in parameter.values {
        let name = "\(OptimizerState.stateKey).\(parameter.name).\(graph.string(key) ?? "")"
        entries.append((try graph.addString(name), value))
      }
    }
    for group in groups {
      let settings = (graph.entries(of: group.settings) ?? []).filter {
        !graph.text(of: $0.key, equals: OptimizerState.parametersKey)
      }
      for name in group.names {
        for (key, value) in settings {
          let name = "\(OptimizerState.groupsKey).\(name).\(graph.string(key) ?? "")"
          entries.append((try graph.addString(name), value))
        }
      }
    }
    return try graph.addDict(entries + others)
  }
}
