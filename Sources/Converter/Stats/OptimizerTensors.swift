internal import CkptBase
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptGraph
internal import CkptModels
internal import CkptSafetensors

/// The tensors of an optimizer's state by parameter, whether the file has the dicts of the optimizer
/// or only names.
struct OptimizerTensors {
  /// The optimizer's state of one parameter.
  struct Parameter {
    let name: ParameterName
    /// The tensors that the optimizer keeps, with their keys.
    var moments: [(key: String, tensor: TensorID)] = []
    var settings = OptimizerSettings()

    /// The moment of that key.
    func moment(_ key: String) -> TensorID? { moments.first { $0.key == key }?.tensor }
  }

  /// The parameters in the order of the file.
  private(set) var parameters: [Parameter] = []
  /// The settings of each group.
  private(set) var groups: [OptimizerSettings] = []
  /// The largest norm that gradients were clipped to.
  private(set) var gradientLimit: Double?

  /// The first moment of Adam, and the only one of Lion.
  static let first = "exp_avg"
  /// The second moment of Adam.
  static let second = "exp_avg_sq"
  private static let step = "step"

  private let graph: TensorGraph
  private var places: [ParameterName: Int] = [:]
  /// The parameters whose number of steps is in a tensor.
  private var steps: [(parameter: Int, tensor: TensorID)] = []

  /// Finds the tensors of the state that `graph` is; `defaults` are the settings for parameters whose
  /// group is not known.
  ///
  /// - Throws: `inputOutput` when numbers of steps cannot be read, `limitExceeded` for a graph that is
  ///   made to exhaust its readers.
  init(of graph: TensorGraph, defaults: OptimizerSettings) throws(CheckpointError) {
    self.graph = graph
    if let state = try? OptimizerState(of: graph) {
      try read(state)
    } else {
      try readNames(defaults)
    }
    try readSteps()
  }

  /// The size of the groups that blocks are in.
  var groupSize: Int { ParameterName.groupSize(of: parameters.map(\.name)) }

  private mutating func read(_ state: OptimizerState) throws(CheckpointError) {
    var settings: [ParameterName: OptimizerSettings] = [:]
    for group in state.groups {
      let found = try OptimizerSettings(group: group.node, of: graph)
      groups.append(found)
      for name in group.names { settings[name] = found }
      if gradientLimit == nil, let limit = graph.value(of: "max_grad_norm", in: group.node) {
        gradientLimit = try graph.number(limit)
      }
    }
    for parameter in state.parameters {
      for (key, value) in parameter.values {
        guard let key = graph.string(key) else { continue }
        add(key, value, of: parameter.name, settings[parameter.name] ?? OptimizerSettings())
      }
    }
  }

  /// Reads the names of flat files: `state.transformer.wte.weight.exp_avg`.
  private mutating func readNames(_ defaults: OptimizerSettings) throws(CheckpointError) {
    let settings = try namedSettings(defaults)
    let prefix = OptimizerState.stateKey + "."
    for leaf in try NamedLeaf.all(of: graph) {
      let name =
        leaf.name.hasPrefix(prefix) ? leaf.name.droppingFirst(prefix.utf8.count) : leaf.name
      guard let dot = name.lastIndex(of: ".") else { continue }
      let parameter = ParameterName(String(name[..<dot]))
      add(
        String(name[name.index(after: dot)...]), leaf.node, of: parameter,
        settings[parameter] ?? defaults)
    }
  }

  /// The settings of each parameter in flat names: `param_groups.transformer.wte.weight.lr`
  /// (`torch/distributed/checkpoint/state_dict.py`, `flatten_optimizer_state_dict`).
  private mutating func namedSettings(
    _ defaults: OptimizerSettings
  ) throws(CheckpointError) -> [ParameterName: OptimizerSettings] {
    let prefix = OptimizerState.groupsKey + "."
    var settings: [ParameterName: OptimizerSettings] = [:]
    for (key, value) in graph.entries(of: graph.root) ?? [] {
      guard let name = graph.string(key), name.hasPrefix(prefix), let dot = name.lastIndex(of: "."),
        dot >= name.index(name.startIndex, offsetBy: prefix.count)
      else { continue }
      let parameter = ParameterName(String(name[..<dot].dropFirst(prefix.count)))
      try settings[parameter, default: defaults]
        .set(String(name[name.index(after: dot)...]), to: value, of: graph)
    }
    var known: Set<OptimizerSettings> = []
    groups = settings.keys.sorted { $0.clean < $1.clean }.compactMap { settings[$0] }
      .filter { known.insert($0).inserted }
    return settings
  }

  private mutating func add(
    _ key: String, _ value: NodeID, of name: ParameterName, _ settings: OptimizerSettings
  ) {
    let number = places[name] ?? parameters.count
    if number == parameters.count {
      places[name] = number
      parameters.append(Parameter(name: name, settings: settings))
    }
    switch graph[value] {
    case .tensor(let id) where key == Self.step: steps.append((number, id))
    case .tensor(let id): parameters[number].moments.append((key, id))
    case .int(let step) where key == Self.step: parameters[number].settings.step = step
    default: return
    }
  }

  private mutating func readSteps() throws(CheckpointError) {
    let values = try ScalarValues.read(steps.map(\.tensor), of: graph)
    for (step, value) in zip(steps, values) {
      parameters[step.parameter].settings.step = value.flatMap { Int(exactly: $0) }
    }
    // Groups count their steps by their parameters.
    let found = Set(parameters.compactMap(\.settings.step))
    guard found.count == 1 else { return }
    for index in groups.indices { groups[index].step = found.first }
  }
}
