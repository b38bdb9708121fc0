internal import CkptBase
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptGraph
internal import CkptModels

/// Renames and splits the tensors of OLMo for Hugging Face.
///
/// Rows are views: nothing is read, and no value changes.
struct HuggingFaceNaming {
  let map: TensorMap

  /// Returns the state dict of the Hugging Face model in its order, from the tensors of OLMo.
  ///
  /// - Throws: `conflict` if tensors and configuration disagree, `unsupported` for an object that
  ///   is not a model.
  func model(_ graph: TensorGraph) throws(CheckpointError) -> TensorGraph {
    var graph = graph
    let tensors = try NamedTensors(olmo: graph, groupSize: map.dimensions.blockGroupSize)
    try Coverage(of: tensors.shapes(in: graph), by: map, on: .olmo).require()
    let ones = try ones(like: tensors, of: graph)
    var entries: [(key: NodeID, value: NodeID)] = []
    for expected in map.huggingFace {
      guard let (correspondence, part) = map.correspondence(ofHuggingFace: expected.name) else {
        continue
      }
      let value: NodeID
      if let id = tensors[correspondence.olmo.name] {
        value = try addPart(part, of: id, correspondence, to: &graph)
      } else if let ones {
        value = try ones.add(shape: expected.shape, to: &graph)
      } else {
        continue
      }
      entries.append((try graph.addString(expected.name), value))
    }
    graph.root = try graph.addDict(entries)
    return graph
  }

  /// Returns the optimizer state with the names of the Hugging Face model.
  ///
  /// Values in the shape of their weight are split like it. Single numbers, such as the step count,
  /// are repeated for each part.
  ///
  /// - Throws: `conflict` for a parameter that the model does not have, `unsupported` for values
  ///   that cannot be split.
  func optimizer(_ graph: TensorGraph) throws(CheckpointError) -> TensorGraph {
    let state = try OptimizerState(of: graph)
    let groupSize = state.groupSize
    var writer = OptimizerWriter(graph)
    for parameter in state.parameters {
      let correspondence = try correspondence(of: parameter.name, groupSize)
      for (index, part) in correspondence.parts.enumerated() {
        var values: [(key: NodeID, value: NodeID)] = []
        for (key, value) in parameter.values {
          let new = try CheckpointError.within("state of '\(parameter.name.clean)'") {
            () throws(CheckpointError) in
            try addValue(value, of: index, correspondence, to: &writer.graph)
          }
          values.append((key, new))
        }
        writer.add(.init(name: part.name, values: values))
      }
    }
    for group in state.groups {
      var names: [String] = []
      for name in group.names {
        names += try correspondence(of: name, groupSize).parts.map(\.name)
      }
      writer.add(.init(settings: try writer.graph.addSettings(of: group.node), names: names))
    }
    writer.others = state.others
    return try writer.write(.fsdp)
  }

  // MARK: Parts

  private func correspondence(
    of name: ParameterName, _ groupSize: Int
  ) throws(CheckpointError) -> Correspondence {
    let regrouped = name.regrouped(from: groupSize, to: map.dimensions.blockGroupSize)
    guard let correspondence = map.correspondence(ofOLMo: regrouped) else {
      throw CheckpointError(
        .conflict, "the optimizer has the parameter '\(name.clean)', but the model does not")
    }
    return correspondence
  }

  private func addPart(
    _ part: Int, of id: TensorID, _ correspondence: Correspondence, to graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    guard correspondence.parts.count > 1 else { return try graph.addView(of: id) }
    let rows = try graph.addRows(correspondence.rowRanges[part], of: id)
    return graph[rows].node
  }

  private func addValue(
    _ value: NodeID, of part: Int, _ correspondence: Correspondence, to graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    guard case .tensor(let id) = graph[value] else { return value }
    let shape = graph[id].shape
    if shape == correspondence.olmo.shape {
      return try addPart(part, of: id, correspondence, to: &graph)
    }
    guard graph[id].elementCount == 1 || correspondence.parts.count == 1 else {
      throw CheckpointError(
        .unsupported,
        "a tensor of shape \(shape) belongs to a weight of shape \(correspondence.olmo.shape) and cannot be "
          + "split like it")
    }
    return try graph.addView(of: id)
  }

  /// Returns the tensor of ones for norms without weights: as long as the longest, of the weights'
  /// dtype.
  private func ones(
    like tensors: NamedTensors, of graph: TensorGraph
  ) throws(CheckpointError) -> ConstantTensor? {
    let lengths = map.correspondences.lazy.filter { $0.relation == .ones }.map { $0.olmo.shape[0] }
    guard let length = lengths.max(), let first = tensors.entries.first else { return nil }
    return try ConstantTensor(ones: length, graph[first.id].dtype)
  }
}

/// Renames and joins the tensors of Hugging Face for OLMo; the reverse of ``HuggingFaceNaming``.
struct OLMoNaming {
  let map: TensorMap
  let budget: CopyBudget

  /// Returns the state dict of the OLMo model in its order, from the tensors of Hugging Face.
  ///
  /// - Throws: `conflict` if tensors and configuration disagree, `unsupported` for an object that
  ///   is not a model.
  func model(_ graph: TensorGraph, _ tensors: NamedTensors) throws(CheckpointError) -> TensorGraph {
    var graph = graph
    var entries: [(key: NodeID, value: NodeID)] = []
    for expected in map.olmo {
      guard let correspondence = map.correspondence(ofOLMo: expected.name) else { continue }
      let parts = correspondence.parts.compactMap { tensors[$0.name] }
      let node = try CheckpointError.within("tensor '\(expected.name)'") {
        () throws(CheckpointError) in
        try addWhole(of: parts, to: &graph)
      }
      entries.append((try graph.addString(expected.name), node))
    }
    graph.root = try graph.addDict(entries)
    return graph
  }

  /// Returns the optimizer state with the names of the OLMo model as keys.
  ///
  /// - Throws: `conflict` if a part of a weight has no state, or if the parts have different step
  ///   counts or groups.
  func optimizer(_ graph: TensorGraph) throws(CheckpointError) -> TensorGraph {
    let state = try OptimizerState(of: graph)
    var states: [ParameterName: OptimizerState.Parameter] = [:]
    for parameter in state.parameters { states[parameter.name] = parameter }
    var writer = OptimizerWriter(graph)
    for group in state.groups {
      var names: [String] = []
      var rest = group.names[...]
      while let first = rest.first {
        let correspondence = try correspondence(of: first)
        let parts = correspondence.parts.map(\.name)
        guard rest.prefix(parts.count).map(\.clean) == parts else {
          throw CheckpointError(
            .conflict,
            "the parts of '\(correspondence.olmo.name)' are not adjacent in a "
              + "param group: \(parts.joined(separator: ", "))")
        }
        rest = rest.dropFirst(parts.count)
        names.append(correspondence.olmo.name)
        try addState(of: correspondence, states, to: &writer)
      }
      writer.add(.init(settings: group.node, names: names))
    }
    let grouped = Set(state.groups.flatMap(\.names))
    for parameter in state.parameters where !grouped.contains(parameter.name) {
      throw CheckpointError(
        .malformed,
        "the optimizer has a state for '\(parameter.name.clean)', which is in no param group")
    }
    writer.others = state.others
    return try writer.write(.fsdp)
  }

  // MARK: Parts

  private func correspondence(of name: ParameterName) throws(CheckpointError) -> Correspondence {
    guard let (correspondence, _) = map.correspondence(ofHuggingFace: name.clean) else {
      throw CheckpointError(
        .conflict, "the optimizer has the parameter '\(name.clean)', but the model does not")
    }
    return correspondence
  }

  private func addState(
    of correspondence: Correspondence, _ states: [ParameterName: OptimizerState.Parameter],
    to writer: inout OptimizerWriter
  ) throws(CheckpointError) {
    let parts = correspondence.parts.compactMap { states[ParameterName($0.name)] }
    // An optimizer has no state before its first step.
    guard let first = parts.first else { return }
    guard parts.count == correspondence.parts.count else {
      throw CheckpointError(
        .conflict,
        "only \(parts.count) of the \(correspondence.parts.count) parts of "
          + "'\(correspondence.olmo.name)' have a state")
    }
    var values: [(key: NodeID, value: NodeID)] = []
    for (index, entry) in first.values.enumerated() {
      let value = try CheckpointError.within("state of '\(correspondence.olmo.name)'") {
        () throws(CheckpointError) in
        try addValue(number: index, of: parts, correspondence, to: &writer.graph)
      }
      values.append((entry.key, value))
    }
    writer.add(.init(name: correspondence.olmo.name, values: values))
  }

  /// Adds one value of a weight's state: joined if it has the shapes of the parts, otherwise the
  /// common value.
  private func addValue(
    number: Int, of parts: [OptimizerState.Parameter], _ correspondence: Correspondence,
    to graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    let key = parts[0].values[number].key
    let values = parts.compactMap { part in
      part.values.first { isSameKey($0.key, key, graph) }?.value
    }
    let field = graph.description(of: key, limit: 40)
    guard values.count == parts.count,
      parts.allSatisfy({ $0.values.count == parts[0].values.count })
    else { throw CheckpointError(.conflict, "not every part has \(field)") }
    let ids = values.compactMap { value -> TensorID? in
      if case .tensor(let id) = graph[value] { id } else { nil }
    }
    if ids.count == values.count,
      zip(ids, correspondence.parts).allSatisfy({ graph[$0].shape == $1.shape })
    {
      return try addWhole(of: ids, to: &graph)
    }
    for value in values.dropFirst() {
      guard try ValueEquality(graph, budget).holds(of: values[0], value) else {
        throw CheckpointError(.conflict, "\(field) differs between the parts of the weight")
      }
    }
    return try ids.first.map { id throws(CheckpointError) in try graph.addView(of: id) }
      ?? values[0]
  }

  private func isSameKey(_ left: NodeID, _ right: NodeID, _ graph: TensorGraph) -> Bool {
    left == right || graph.string(left) != nil && graph.string(left) == graph.string(right)
  }

  private func addWhole(
    of parts: [TensorID], to graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    guard parts.count > 1 else { return try graph.addView(of: parts[0]) }
    let whole = try graph.addJoined(parts)
    return graph[whole].node
  }
}
