internal import CkptBase
internal import CkptCheck
internal import CkptCheckpoints
public import CkptCopy
internal import CkptGraph

/// The settings of an optimizer for a group of parameters, as far as they are known.
public struct OptimizerSettings: Hashable, Sendable {
  /// The learning rate.
  public var learningRate: Double?
  /// The decay of the first moment.
  public var beta1: Double?
  /// The decay of the second moment.
  public var beta2: Double?
  /// The number that is added to the root of the second moment.
  public var epsilon: Double?
  /// The part of a weight that each step takes off it, before the learning rate.
  public var weightDecay: Double?
  /// The number of steps that the moments have been through.
  public var step: Int?

  /// Settings of which nothing is known.
  public init() {}

  /// The rule that decides the size of Adam's updates; `nil` unless all settings are known.
  public var rule: UpdateRule? {
    guard let step, let beta1, let beta2, let epsilon else { return nil }
    return UpdateRule(step: step, beta1: beta1, beta2: beta2, epsilon: epsilon)
  }

  /// The settings in a dict of `param_groups` (`torch/optim/adamw.py`).
  ///
  /// - Throws: `inputOutput` when a learning rate that is a tensor cannot be read.
  init(group: NodeID, of graph: TensorGraph) throws(CheckpointError) {
    for (key, value) in graph.entries(of: group) ?? [] {
      guard let key = graph.string(key) else { continue }
      try set(key, to: value, of: graph)
    }
  }

  /// Takes over the setting that a group calls `key`, if it is one of these.
  ///
  /// - Throws: `inputOutput` when a learning rate that is a tensor cannot be read.
  mutating func set(
    _ key: String, to value: NodeID, of graph: TensorGraph
  ) throws(CheckpointError) {
    switch key {
    case "lr": learningRate = try graph.number(value)
    case "eps": epsilon = try graph.number(value)
    case "weight_decay": weightDecay = try graph.number(value)
    case "betas":
      let betas = graph.elements(of: value).map(Array.init) ?? []
      guard betas.count == 2 else { return }
      beta1 = try graph.number(betas[0])
      beta2 = try graph.number(betas[1])
    default: return
    }
  }
}
