internal import CkptBase
internal import CkptCheckpoints
internal import CkptGraph

/// The content of a checkpoint file in a few facts.
public struct StateFacts: Hashable, Sendable {
  /// The kind of a state.
  @nonexhaustive
  public enum Kind: String, Hashable, Sendable {
    /// Tensors by name, like the weights of a model.
    case model
    /// The state of an optimizer (`state` and `param_groups`).
    case optimizer
    /// The progress of a trainer (`global_step`), without weights.
    case trainer
    /// Anything else.
    case other
  }

  /// The kind.
  public var kind = Kind.other
  /// The number of layers, according to the numbers in the names of tensors; `nil` for none.
  public var layerCount: Int?
  /// The training step; `nil` if it is unknown.
  public var step: Int?
  /// The optimizer; `nil` if the file has no state of one.
  public var optimizer: OptimizerFacts?
}

extension StateFacts {
  /// Finds the facts about a graph.
  ///
  /// The only tensors it reads are single numbers: a step count and learning rates.
  ///
  /// - Throws: `inputOutput` or `checksumMismatch` if these cannot be read.
  init(of graph: TensorGraph, tensorNames: [String], hasValues: Bool) throws(CheckpointError) {
    step = Self.step(in: graph)
    optimizer = try OptimizerFacts(of: graph)
    layerCount = Self.layerCount(of: tensorNames)
    if let optimizer, OptimizerState.isState(graph) {
      kind = .optimizer
      step = step ?? optimizer.step
    } else if step != nil, graph.value(of: "rng", in: graph.root) != nil || tensorNames.isEmpty {
      kind = .trainer
    } else if !tensorNames.isEmpty {
      kind = hasValues && optimizer != nil ? .other : .model
    }
  }

  /// The keys for the step in checkpoints of trainers (OLMo and Lightning, then others).
  private static let stepKeys = ["global_step", "step", "iteration", "global_steps"]

  private static func step(in graph: TensorGraph) -> Int? {
    for key in stepKeys {
      if let node = graph.value(of: key, in: graph.root), let step = graph.int(node) { return step }
    }
    return nil
  }

  /// Returns the number of layers: the names have all numbers from 0 at their first number.
  private static func layerCount(of names: [String]) -> Int? {
    var numbers: [Substring: Set<Int>] = [:]
    for name in names {
      var prefix = name.startIndex
      for component in name.split(separator: ".", maxSplits: 8) {
        // A number at the end is the index of a tensor in a list.
        if component.endIndex < name.endIndex, let number = NumberedName.number(component) {
          numbers[name[..<prefix], default: []].insert(number)
          break
        }
        prefix = component.endIndex
      }
    }
    let counts = numbers.values.filter { $0.max() == $0.count - 1 }.map(\.count)
    return counts.max().flatMap { $0 > 1 || names.count > 1 ? $0 : nil }
  }
}

/// The optimizer of a checkpoint in a few facts.
public struct OptimizerFacts: Hashable, Sendable {
  /// The algorithm by its settings and state, such as `Adam`; `nil` for an unknown one.
  public var algorithm: String?
  /// The different learning rates of the groups, in ascending order.
  public var learningRates: [Double] = []
  /// The number of parameters in the groups.
  public var parameterCount = 0
  /// The number of parameters with a state.
  public var stateCount = 0
  /// The number of steps of the first parameter; `nil` if it is unknown.
  public var step: Int?

  /// The maximum number of groups to look at, since groups can be shared.
  private static let groupLimit = 10_000

  /// Finds the facts about the optimizer state in a graph, at the root or in one of its entries;
  /// `nil` if there is none.
  init?(of graph: TensorGraph) throws(CheckpointError) {
    let entries = graph.entries(of: graph.root) ?? []
    let places = [graph.root] + entries.filter { graph.isMapping($0.value) }.map(\.value)
    guard
      let place = places.first(where: { graph.value(of: OptimizerState.groupsKey, in: $0) != nil }),
      let groups = graph.value(of: OptimizerState.groupsKey, in: place),
      let states = graph.value(of: OptimizerState.stateKey, in: place).flatMap({
        graph.entries(of: $0)
      })
    else { return nil }
    stateCount = states.count
    var keys: Set<String> = []
    for group in (graph.elements(of: groups) ?? []).prefix(Self.groupLimit) {
      keys.formUnion((graph.entries(of: group) ?? []).compactMap { graph.string($0.key) })
      if let parameters = graph.value(of: OptimizerState.parametersKey, in: group) {
        parameterCount += graph.elements(of: parameters)?.count ?? 0
      }
      if let rate = graph.value(of: "lr", in: group), let number = try graph.number(rate),
        !learningRates.contains(number)
      {
        learningRates.append(number)
      }
    }
    learningRates.sort()
    let fields = states.first.flatMap { graph.entries(of: $0.value) } ?? []
    let names = Set(fields.compactMap { graph.string($0.key) })
    algorithm = Self.algorithm(settings: keys, state: names)
    if let field = fields.first(where: { graph.string($0.key) == "step" }),
      let number = try graph.number(field.value)
    {
      step = Int(exactly: number)
    }
  }

  /// Returns the name of an algorithm (`torch/optim`, and `LionW` of `olmo/optim.py`).
  private static func algorithm(settings: Set<String>, state: Set<String>) -> String? {
    if state.contains("exp_avg_sq") || settings.contains("amsgrad") { return "Adam" }
    if state.contains("exp_avg") || settings.contains("betas") { return "Lion" }
    if state.contains("acc_delta") { return "Adadelta" }
    if state.contains("square_avg") { return "RMSprop" }
    if state.contains("sum") { return "Adagrad" }
    return settings.contains("momentum") ? "SGD" : nil
  }
}
