internal import Architectures
internal import Bytes
internal import Graph

/// Names and joins Hugging Face's tensors as OLMo has them: the reverse of ``HuggingFaceNaming``.
struct OLMoNaming {
  let map: TensorMap

  /// The state dict of OLMo's model in its order, made of the tensors of Hugging Face's.
  ///
  /// - Throws: `conflict` where tensors and configuration disagree, `unsupported` for an object that
  ///   is not a model.
  func model(_ graph: TensorGraph, _ tensors: NamedTensors) throws(FormatError) -> TensorGraph {
    var graph = graph
    var entries: [(key: NodeID, value: NodeID)] = []
    for expected in map.olmo {
      guard let correspondence = map.correspondence(ofOLMo: expected.name) else { continue }
      let parts = correspondence.parts.compactMap { tensors[$0.name] }
      let node = try FormatError.within("tensor '\(expected.name)'") { () throws(FormatError) in
        try addWhole(of: parts, to: &graph)
      }
      entries.append((try graph.addString(expected.name), node))
    }
    graph.root = try graph.addDict(entries)
    return graph
  }

  /// The optimizer's state under the names of OLMo's model, keyed by name.
  ///
  /// - Throws: `conflict` where a part of a weight has no state, or parts have different numbers of
  ///   steps or stand in different groups.
  func optimizer(_ graph: TensorGraph) throws(FormatError) -> TensorGraph {
    let state = try OptimizerState(of: graph)
    var states: [String: OptimizerState.Parameter] = [:]
    for parameter in state.parameters { states[parameter.name.clean] = parameter }
    var writer = OptimizerWriter(graph)
    for group in state.groups {
      var names: [String] = []
      var rest = group.names[...]
      while let first = rest.first {
        let correspondence = try correspondence(of: first)
        let parts = correspondence.parts.map(\.name)
        guard rest.prefix(parts.count).map(\.clean) == parts else {
          throw FormatError(
            .conflict,
            "the parts of '\(correspondence.olmo.name)' do not follow each other in a "
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
      throw FormatError(
        .malformed, "the optimizer has a state of '\(parameter.name.clean)', which is in no group")
    }
    writer.others = state.others
    return try writer.write(.fsdp)
  }

  // MARK: Parts

  private func correspondence(of name: ParameterName) throws(FormatError) -> Correspondence {
    guard let (correspondence, _) = map.correspondence(ofHuggingFace: name.clean) else {
      throw FormatError(
        .conflict, "the optimizer has parameter '\(name.clean)', which the model does not have")
    }
    return correspondence
  }

  private func addState(
    of correspondence: Correspondence, _ states: [String: OptimizerState.Parameter],
    to writer: inout OptimizerWriter
  ) throws(FormatError) {
    let parts = correspondence.parts.compactMap { states[$0.name] }
    // An optimizer that has made no step yet has no state.
    guard let first = parts.first else { return }
    guard parts.count == correspondence.parts.count else {
      throw FormatError(
        .conflict,
        "only \(parts.count) of the \(correspondence.parts.count) parts of "
          + "'\(correspondence.olmo.name)' have a state")
    }
    var values: [(key: NodeID, value: NodeID)] = []
    for (index, entry) in first.values.enumerated() {
      let value = try FormatError.within("state of '\(correspondence.olmo.name)'") {
        () throws(FormatError) in
        try addValue(number: index, of: parts, correspondence, to: &writer.graph)
      }
      values.append((entry.key, value))
    }
    writer.add(.init(name: correspondence.olmo.name, values: values))
  }

  /// One value of a weight's state: joined of what has the parts' shapes, or what all have alike.
  private func addValue(
    number: Int, of parts: [OptimizerState.Parameter], _ correspondence: Correspondence,
    to graph: inout TensorGraph
  ) throws(FormatError) -> NodeID {
    let key = parts[0].values[number].key
    let values = parts.compactMap { part in
      part.values.first { isSameKey($0.key, key, graph) }?.value
    }
    let field = graph.description(of: key, limit: 40)
    guard values.count == parts.count,
      parts.allSatisfy({ $0.values.count == parts[0].values.count })
    else { throw FormatError(.conflict, "not every part has \(field)") }
    let ids = values.compactMap { value -> TensorID? in
      if case .tensor(let id) = graph[value] { id } else { nil }
    }
    if ids.count == values.count,
      zip(ids, correspondence.parts).allSatisfy({ graph[$0].shape == $1.shape })
    {
      return try addWhole(of: ids, to: &graph)
    }
    for value in values.dropFirst() {
      guard try SameValue(graph).holds(of: values[0], value) else {
        throw FormatError(.conflict, "\(field) is not the same for all parts of the weight")
      }
    }
    return try ids.first.map { id throws(FormatError) in try graph.addView(of: id) } ?? values[0]
  }

  private func isSameKey(_ left: NodeID, _ right: NodeID, _ graph: TensorGraph) -> Bool {
    left == right || graph.string(left) != nil && graph.string(left) == graph.string(right)
  }

  private func addWhole(
    of parts: [TensorID], to graph: inout TensorGraph
  ) throws(FormatError) -> NodeID {
    guard parts.count > 1 else { return try graph.addView(of: parts[0]) }
    let whole = try graph.addJoined(parts)
    return graph[whole].node
  }
}
