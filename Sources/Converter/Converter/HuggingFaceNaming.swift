internal import Architectures
internal import Bytes
internal import Graph

/// Names and splits OLMo's tensors as Hugging Face has them.
///
/// Rows are views: nothing is read and no number changes.
struct HuggingFaceNaming {
  let map: TensorMap

  /// The state dict of Hugging Face's model in its order, made of the tensors of OLMo's.
  ///
  /// - Throws: `conflict` where tensors and configuration disagree, `unsupported` for an object that
  ///   is not a model.
  func model(_ graph: TensorGraph) throws(FormatError) -> TensorGraph {
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

  /// The optimizer's state under the names of Hugging Face's model.
  ///
  /// What has the shape of its weight is split like it; single numbers, such as the count of steps,
  /// are there for each of the parts.
  ///
  /// - Throws: `conflict` for a parameter that the model does not have, `unsupported` for values that
  ///   cannot be split.
  func optimizer(_ graph: TensorGraph) throws(FormatError) -> TensorGraph {
    let state = try OptimizerState(of: graph)
    let groupSize = state.groupSize
    var writer = OptimizerWriter(graph)
    for parameter in state.parameters {
      let correspondence = try correspondence(of: parameter.name, groupSize)
      for (index, part) in correspondence.parts.enumerated() {
        var values: [(key: NodeID, value: NodeID)] = []
        for (key, value) in parameter.values {
          let new = try FormatError.within("state of '\(parameter.name.clean)'") {
            () throws(FormatError) in
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
      writer.add(.init(settings: try addSettings(of: group.node, to: &writer.graph), names: names))
    }
    writer.others = state.others
    return try writer.write(.fsdp)
  }

  // MARK: Parts

  private func correspondence(
    of name: ParameterName, _ groupSize: Int
  ) throws(FormatError) -> Correspondence {
    let regrouped = name.regrouped(from: groupSize, to: map.dimensions.blockGroupSize)
    guard let correspondence = map.correspondence(ofOLMo: regrouped) else {
      throw FormatError(
        .conflict, "the optimizer has parameter '\(name.clean)', which the model does not have")
    }
    return correspondence
  }

  private func addPart(
    _ part: Int, of id: TensorID, _ correspondence: Correspondence, to graph: inout TensorGraph
  ) throws(FormatError) -> NodeID {
    guard correspondence.parts.count > 1 else { return try graph.addView(of: id) }
    let rows = try graph.addRows(correspondence.rowRanges[part], of: id)
    return graph[rows].node
  }

  private func addValue(
    _ value: NodeID, of part: Int, _ correspondence: Correspondence, to graph: inout TensorGraph
  ) throws(FormatError) -> NodeID {
    guard case .tensor(let id) = graph[value] else { return value }
    let shape = graph[id].shape
    if shape == correspondence.olmo.shape {
      return try addPart(part, of: id, correspondence, to: &graph)
    }
    guard graph[id].elementCount == 1 || correspondence.parts.count == 1 else {
      throw FormatError(
        .unsupported,
        "a tensor of \(shape) belongs to a weight of \(correspondence.olmo.shape) and cannot be "
          + "split like it")
    }
    return try graph.addView(of: id)
  }

  /// A group's dict, in which tensors come from no pickle.
  private func addSettings(
    of group: NodeID, to graph: inout TensorGraph
  ) throws(FormatError) -> NodeID {
    var entries = graph.entries(of: group) ?? []
    for index in entries.indices {
      guard case .tensor(let id) = graph[entries[index].value] else { continue }
      entries[index].value = try graph.addView(of: id)
    }
    return try graph.addDict(entries)
  }

  /// The tensor of ones for norms without weights, as long as any of them, of the weights' type.
  private func ones(
    like tensors: NamedTensors, of graph: TensorGraph
  ) throws(FormatError) -> ConstantTensor? {
    let lengths = map.correspondences.lazy.filter { $0.relation == .ones }.map { $0.olmo.shape[0] }
    guard let length = lengths.max(), let first = tensors.entries.first else { return nil }
    return try ConstantTensor(ones: length, graph[first.id].dtype)
  }
}
