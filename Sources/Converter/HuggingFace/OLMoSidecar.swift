internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptSafetensors
internal import CkptTorch

/// What an OLMo file has that a Hugging Face folder has no place for: its object beside the tensors'
/// bytes, kept as a document in the folder so that the way back returns the same file.
///
/// Tensors are called by their names in an unwrapped model, so that the document does not depend on
/// the file's own keys; those of an optimizer are called `state.NAME.FIELD`.
struct OLMoSidecar {
  /// Which of the trainer's files it is of.
  enum Kind {
    case model, optimizer
  }

  let kind: Kind
  /// The size that groups of blocks have in the names.
  let groupSize: Int

  /// The document for a file, or `nil` for one with tensors in places that have no name here.
  ///
  /// - Throws: what finding the tensors throws.
  func document(of checkpoint: Checkpoint) throws(CheckpointError) -> [UInt8]? {
    let graph = checkpoint.graph
    var names: [TensorID: String] = [:]
    for (name, id) in try tensors(of: graph) { names[id] = name }
    for id in graph.reachableTensors() where graph[id].storage != nil && names[id] == nil {
      return nil
    }
    return DetachedSkeleton.write(graph, from: checkpoint.archive, names: names)
  }

  /// The file of a document with the tensors of `graph`, or the reason why it cannot be that file
  /// any more.
  ///
  /// - Throws: what reading a skeleton throws.
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

  /// What comes of a document and the tensors of a folder.
  enum Restoration {
    /// The file as it was, with the folder's tensors.
    case whole(Checkpoint)
    /// The tensors are not those of the file any more, for this reason.
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
