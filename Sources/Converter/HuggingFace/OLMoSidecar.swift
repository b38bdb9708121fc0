internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptSafetensors
internal import CkptTorch

/// The parts of an OLMo file that a Hugging Face directory has no place for: its object without
/// tensor bytes.
///
/// It is stored as a document in the directory, so that the way back restores the file.
///
/// The document names tensors as in an unwrapped model, so it does not depend on the keys of the
/// file. Tensors of an optimizer are named `state.NAME.FIELD`.
struct OLMoSidecar {
  /// The state in the file.
  enum Kind {
    case model, optimizer
  }

  let kind: Kind
  /// The number of blocks in a group, according to the names.
  let groupSize: Int

  /// Returns the document for a file, or `nil` if a tensor is in an unknown place.
  ///
  /// - Throws: the errors of finding the tensors.
  func document(of checkpoint: Checkpoint) throws(CheckpointError) -> [UInt8]? {
    let graph = checkpoint.graph
    var names: [TensorID: String] = [:]
    for (name, id) in try tensors(of: graph) { names[id] = name }
    for id in graph.reachableTensors() where graph[id].storage != nil && names[id] == nil {
      return nil
    }
    return DetachedSkeleton.write(graph, from: checkpoint.archive, names: names)
  }

  /// Restores the file of a document with the tensors of `graph`, or returns the reason why it
  /// cannot.
  ///
  /// - Throws: the errors of reading a skeleton.
  func restore(
    _ document: [UInt8], tensorsOf graph: TensorGraph, droppingUnsafe dropsUnsafe: Bool
  ) throws(CheckpointError) -> Restoration {
    var skeleton = try DetachedSkeleton(reading: document, droppingUnsafe: dropsUnsafe)
    var left: [ExactString: TensorID] = [:]
    for (name, id) in try tensors(of: graph) { left[name] = id }
    let reason = try skeleton.fill { name in
      left.removeValue(forKey: ExactString(name)).map {
        DetachedSkeleton.Contents(graph[$0], of: graph)
      }
    }
    if let reason { return .changed(reason) }
    if let name = left.keys.min() { return .changed("tensor '\(name.text)' is new") }
    return .whole(skeleton.checkpoint)
  }

  /// The result of restoring a file.
  enum Restoration {
    /// The original file, with the tensors of the directory.
    case whole(Checkpoint)
    /// The tensors differ from those of the file, for this reason.
    case changed(String)
  }

  // MARK: Names

  private func tensors(
    of graph: TensorGraph
  ) throws(CheckpointError) -> [(name: String, id: TensorID)] {
    switch kind {
    case .model:
      return try NamedTensors(olmo: graph, groupSize: groupSize).entries.map { ($0.name, $0.id) }
    case .optimizer: return try optimizerTensors(of: graph)
    }
  }

  private func optimizerTensors(
    of graph: TensorGraph
  ) throws(CheckpointError) -> [(name: String, id: TensorID)] {
    let state = try OptimizerState(of: graph)
    let foundSize = state.groupSize
    var tensors: [(name: String, id: TensorID)] = []
    func add(_ entry: (key: NodeID, value: NodeID), below path: String) {
      guard case .tensor(let id) = graph[entry.value] else { return }
      let key = graph.string(entry.key) ?? graph.description(of: entry.key, limit: 120)
      tensors.append(("\(path)\(key)", id))
    }
    for parameter in state.parameters {
      let name = parameter.name.regrouped(from: foundSize, to: groupSize)
      for entry in parameter.values { add(entry, below: "\(OptimizerState.stateKey).\(name).") }
    }
    for (number, group) in state.groups.enumerated() {
      for entry in graph.entries(of: group.node) ?? [] {
        add(entry, below: "\(OptimizerState.groupsKey).\(number).")
      }
    }
    for entry in state.others { add(entry, below: "") }
    return tensors
  }
}
