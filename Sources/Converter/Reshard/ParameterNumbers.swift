internal import CkptBase
internal import CkptCheckpoints
internal import CkptGraph

/// The names of parameters that an ordinary `optimizer.state_dict()` only numbers.
///
/// The number of a parameter is its position over all groups (`torch/optim/optimizer.py`). Without names in
/// the groups, the order of the model's tensors gives them, if count and shapes fit exactly.
struct ParameterNumbers {
  private let state: [(key: NodeID, value: NodeID)]
  private let groups: ArraySlice<NodeID>

  /// Finds the groups without names; `nil` if all have them, or need none.
  init?(_ optimizer: NodeID, in graph: TensorGraph) {
    guard let state = graph.value(of: OptimizerState.stateKey, in: optimizer),
      let groups = graph.value(of: OptimizerState.groupsKey, in: optimizer),
      case .list(let run) = graph[groups], let entries = graph.entries(of: state)
    else { return nil }
    let isNumbered = graph[run].contains { group in
      guard let list = graph.value(of: OptimizerState.parametersKey, in: group),
        case .list(let items) = graph[list], let first = graph[items].first,
        case .int = graph[first]
      else { return false }
      return graph.value(of: OptimizerState.namesKey, in: group) == nil
    }
    guard isNumbered else { return nil }
    self.state = entries
    self.groups = graph[run]
  }

  /// Adds names to the groups, from the tensors of `model`.
  ///
  /// - Throws: `unsupported` if the tensors do not fit the numbers.
  func addNames(from model: NodeID, to graph: inout TensorGraph) throws(CheckpointError) {
    let tensors = Self.parameters(of: model, in: graph)
    var lists: [(group: NodeID, numbers: [Int])] = []
    for group in groups {
      guard let list = graph.value(of: OptimizerState.parametersKey, in: group),
        case .list(let items) = graph[list]
      else { continue }
      lists.append((group, graph[items].compactMap { graph.int($0) }))
    }
    let numbers = lists.flatMap(\.numbers)
    guard numbers == Array(0..<tensors.count) else {
      throw Self.noNames(
        "the optimizer has \(numbers.count) parameters, the model \(tensors.count) tensors")
    }
    for (key, values) in state {
      guard let number = graph.int(key), tensors.indices.contains(number) else { continue }
      for (field, value) in graph.entries(of: values) ?? [] {
        guard case .tensor(let id) = graph[value], !graph[id].shape.isEmpty,
          graph[id].shape != tensors[number].shape
        else { continue }
        throw Self.noNames(
          "'\(graph.string(field) ?? "?")' of parameter \(number) has shape \(graph[id].shape), "
            + "'\(tensors[number].name)' has \(tensors[number].shape)")
      }
    }
    for (group, numbers) in lists {
      var names: [NodeID] = []
      for number in numbers { names.append(try graph.addString(tensors[number].name)) }
      let list = try graph.add(.list(graph.addChildren(names[...])))
      let key = try graph.addString(OptimizerState.namesKey)
      _ = graph.appendEntry(key: key, value: list, to: group)
    }
  }

  /// Returns the floating-point tensors of a model, tied ones once, as the parameters of an optimizer.
  private static func parameters(
    of model: NodeID, in graph: TensorGraph
  ) -> [(name: String, shape: [Int])] {
    var seen: Set<TensorView> = []
    var tensors: [(name: String, shape: [Int])] = []
    for (key, value) in graph.entries(of: model) ?? [] {
      guard let name = graph.string(key), case .tensor(let id) = graph[value] else { continue }
      if let view = TensorView(graph[id]), !seen.insert(view).inserted { continue }
      tensors.append((name, graph[id].shape))
    }
    return tensors
  }

  private static func noNames(_ reason: String) -> CheckpointError {
    CheckpointError(
      .unsupported, "the parameters of the optimizer are numbers and cannot be named: \(reason)",
      remedy: "save the optimizer state with names, such as get_optimizer_state_dict gives")
  }
}
