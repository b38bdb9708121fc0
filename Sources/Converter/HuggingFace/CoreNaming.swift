package import CkptBase
package import CkptCheckpoints
package import CkptCopy
package import CkptGraph
package import CkptModels

/// Renames tensors between OLMo-core and Hugging Face, which have the same tensors.
///
/// With ``HuggingFaceNaming`` before it, the tensors of OLMo get the names of OLMo-core.
package struct CoreNaming {
  let map: TensorMap
  /// The number of embedding rows that Hugging Face gets; `nil` for all.
  let rowCount: Int?
  let budget: CopyBudget

  /// Creates the names of a model, of which Hugging Face gets `rowCount` embedding rows.
  package init(map: TensorMap, rowCount: Int? = nil, budget: CopyBudget) {
    self.map = map
    self.rowCount = rowCount
    self.budget = budget
  }

  // MARK: To Hugging Face

  /// Returns the state dict of the Hugging Face model in its order, from the tensors of OLMo-core.
  ///
  /// - Throws: `conflict` if tensors and configuration disagree, `unsupported` for an object that
  ///   is not a model; `inputOutput` or `checksumMismatch` if tied tensors cannot be read.
  package func huggingFace(model graph: TensorGraph) throws(CheckpointError) -> TensorGraph {
    var graph = graph
    let tensors = try tensors(of: graph)
    try Coverage(of: tensors.shapes(in: graph), by: map, on: .core).require()
    var entries: [(key: NodeID, value: NodeID)] = []
    for (core, expected) in zip(map.core, map.huggingFace) {
      guard let id = tensors[core.name] else { continue }
      entries.append(
        (try graph.addString(expected.name), try addRows(of: id, expected, to: &graph)))
    }
    graph.root = try graph.addDict(entries)
    return graph
  }

  /// Returns the tensors of a model of OLMo-core under the names of the table, without an output
  /// that is tied to the embedding.
  ///
  /// - Throws: `conflict` if a tied output differs from the embedding, `unsupported` for an object
  ///   that is not a model; `inputOutput` if tied tensors cannot be read.
  package func tensors(of graph: TensorGraph) throws(CheckpointError) -> NamedTensors {
    var tensors = try NamedTensors(core: graph) { name in
      map.huggingFaceName(ofCore: name).flatMap(map.coreName(ofHuggingFace:)) ?? name
    }
    guard map.dimensions.isTied, let embedding = tensors[Self.embedding],
      let output = tensors[Self.output]
    else { return tensors }
    guard try ValueEquality(graph, budget).holds(of: embedding, output) else {
      throw CheckpointError(
        .conflict,
        "'\(Self.output)' differs from '\(Self.embedding)', but the configuration says that they "
          + "are tied (tie_word_embeddings)")
    }
    tensors.remove([ExactString(Self.output)])
    return tensors
  }

  private static let embedding = "embeddings.weight"
  private static let output = "lm_head.w_out.weight"

  /// Returns the optimizer state with the names of the Hugging Face model.
  ///
  /// - Throws: `conflict` for a parameter that the model does not have, `unsupported` for another
  ///   object.
  package func huggingFace(optimizer graph: TensorGraph) throws(CheckpointError) -> TensorGraph {
    try rename(graph, map.huggingFaceName(ofCore:)) { (name, id, graph) throws(CheckpointError) in
      guard let (correspondence, part) = map.correspondence(ofHuggingFace: name),
        graph[id].shape == correspondence.parts[part].shape
      else { return try graph.addView(of: id) }
      return try addRows(of: id, correspondence.parts[part], to: &graph)
    }
  }

  /// Adds a tensor, or its first rows if the embedding is cut.
  private func addRows(
    of id: TensorID, _ expected: ExpectedTensor, to graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    guard let rowCount, expected.extents.first == .vocabulary, rowCount < expected.shape[0] else {
      return try graph.addView(of: id)
    }
    let rows = try graph.addRows(0..<rowCount, of: id)
    return graph[rows].node
  }

  // MARK: To OLMo-core

  /// Returns the state dict of the OLMo-core model, from `tensors` with the names of Hugging Face.
  ///
  /// - Throws: `limitExceeded` if the graph is full.
  package func core(
    model graph: TensorGraph, _ tensors: NamedTensors
  ) throws(CheckpointError) -> TensorGraph {
    var graph = graph
    var entries: [(key: NodeID, value: NodeID)] = []
    for (core, expected) in zip(map.core, map.huggingFace) {
      guard let id = tensors[expected.name] else { continue }
      entries.append((try graph.addString(core.name), try graph.addView(of: id)))
    }
    if map.dimensions.isTied, let embedding = tensors["model.embed_tokens.weight"] {
      // OLMo-core's loader asks for both names of the one tensor.
      entries.append((try graph.addString(Self.output), try graph.addView(of: embedding)))
    }
    graph.root = try graph.addDict(entries)
    return graph
  }

  /// Returns the optimizer state with the names of the OLMo-core model.
  ///
  /// - Throws: `conflict` for a parameter that the model does not have, `unsupported` for another
  ///   object.
  package func core(optimizer graph: TensorGraph) throws(CheckpointError) -> TensorGraph {
    try rename(graph, map.coreName(ofHuggingFace:)) { (_, id, graph) throws(CheckpointError) in
      try graph.addView(of: id)
    }
  }

  // MARK: Optimizer states

  /// Renames the parameters of an optimizer state, and converts each tensor by its parameter's new
  /// name.
  private func rename(
    _ graph: TensorGraph, _ newName: (String) -> String?,
    _ convert: (String, TensorID, inout TensorGraph) throws(CheckpointError) -> NodeID
  ) throws(CheckpointError) -> TensorGraph {
    let state = try OptimizerState(of: graph)
    var writer = OptimizerWriter(graph)
    func name(of parameter: ParameterName) throws(CheckpointError) -> String {
      guard let name = newName(parameter.clean) else {
        throw CheckpointError(
          .conflict,
          "the optimizer has the parameter '\(parameter.clean)', but the model does not")
      }
      return name
    }
    for parameter in state.parameters {
      let name = try name(of: parameter.name)
      var values: [(key: NodeID, value: NodeID)] = []
      for (key, value) in parameter.values {
        guard case .tensor(let id) = writer.graph[value] else {
          values.append((key, value))
          continue
        }
        values.append((key, try convert(name, id, &writer.graph)))
      }
      writer.add(.init(name: name, values: values))
    }
    for group in state.groups {
      var names: [String] = []
      for parameter in group.names { names.append(try name(of: parameter)) }
      let settings = try writer.graph.addSettings(of: group.node)
      writer.add(.init(settings: settings, names: names))
    }
    writer.others = state.others
    return try writer.write(.fsdp)
  }
}

extension TensorGraph {
  /// Adds a copy of the dict of a param group, whose tensors get new constructions.
  ///
  /// - Throws: `limitExceeded` if the graph is full.
  mutating func addSettings(of group: NodeID) throws(CheckpointError) -> NodeID {
    var entries = entries(of: group) ?? []
    for index in entries.indices {
      guard case .tensor(let id) = self[entries[index].value] else { continue }
      entries[index].value = try addView(of: id)
    }
    return try addDict(entries)
  }
}
