internal import CkptBase
internal import CkptGraph

/// The tensors inside of objects and of other tensors, under the names of their parts.
extension TensorRecognizer {
  /// Names the tensors inside an object.
  ///
  /// - Throws: `malformed` for an array of another size than its shape's.
  mutating func nameParts(of id: NodeID, _ function: String) throws(CheckpointError) {
    guard let items = arguments(of: id) else { return }
    switch function {
    case "_rebuild_device_tensor_from_cpu_tensor", "_rebuild_device_tensor_from_numpy",
      "_rebuild_xla_tensor", "_rebuild_mlc_tensor":
      guard items.count >= 2 else { return }
      if try addArray(items[0], dtype: items[1], as: id) { return }
      graph.parts[id] = [Part(nil, items[0])]
    case "_rebuild_wrapper_subclass": nameShards(of: id, items)
    case "_rebuild_parameter", "_rebuild_parameter_with_state":
      guard items.count >= 3 else { return }
      graph.parts[id] = [Part(nil, items[0])] + items.dropFirst(3).map { Part(nil, $0) }
      // The tensor inside is saved without the flag, which is the parameter's.
      graph.setRequiresGradient(items[1] == TensorGraph.true, of: items[0])
    case "_rebuild_sparse_tensor", "_rebuild_sparse_csr_tensor":
      guard items.count == 2, let data = graph.tuple(items[1]) else { return }
      let names = sparsePartNames(layout: items[0])
      graph.parts[id] = zip(names, data).map { Part(.attribute($0), $1) }
    case "_rebuild_qtensor": nameScales(of: id, items)
    case "_rebuild_nested_tensor":
      let names = ["buffer", "sizes", "strides", "offsets"]
      graph.parts[id] = zip(names, items).map { Part(.attribute($0), $1) }
    default: return
    }
  }

  private func arguments(of id: NodeID) -> [NodeID]? {
    switch graph[id] {
    case .object(let object): return graph.shortTuple(graph[object].arguments)
    case .tensor(let tensor):
      guard case .call(let object) = graph[tensor].origin else { return nil }
      return graph.shortTuple(graph[object].arguments)
    default: return nil
    }
  }

  /// Names the scales and zero points of a quantized tensor.
  private mutating func nameScales(of id: NodeID, _ items: [NodeID]) {
    guard items.count > 4, let parameters = graph.tuple(items[4]), parameters.count == 4
    else { return }
    graph.parts[id] = zip(["scales", "zero_points"], parameters.dropFirst()).compactMap {
      guard case .tensor = graph[$1] else { return nil }
      return Part(.attribute($0), $1)
    }
  }

  private func sparsePartNames(layout: NodeID) -> [String] {
    switch graph.description(of: layout, limit: 100) {
    case let text where text.contains("sparse_csr") || text.contains("sparse_bsr"):
      ["crow_indices", "col_indices", "values"]
    case let text where text.contains("sparse_csc") || text.contains("sparse_bsc"):
      ["ccol_indices", "row_indices", "values"]
    default: ["indices", "values"]
    }
  }

  /// The parts of the attributes that a tensor subclass is given: a dict, or a pair of dicts of which
  /// the second has the slots (`torch/_tensor.py`, `_rebuild_from_type_v2`).
  func attributeParts(_ state: NodeID) -> [Part] {
    (graph.shortTuple(state) ?? [state]).map { Part(nil, $0) }
  }
}

/// Shards of tensors that are spread over processes.
extension TensorRecognizer {
  /// Gives the local part of a distributed tensor the name of the whole.
  ///
  /// A `DTensor` has it as `_local_tensor` (`torch/distributed/tensor/_api.py`). The state of a
  /// `ShardedTensor` begins with the list of its local shards, of which each has a `tensor`
  /// (`torch/distributed/_shard/sharded_tensor/api.py`).
  private mutating func nameShards(of id: NodeID, _ items: [NodeID]) {
    guard items.count > 3, let state = graph.shortTuple(items[3]) else { return }
    let whole = graph.shortTuple(items[2]).flatMap { $0.count > 2 ? graph.sizes($0[2]) : nil }
    if let slots = state.last, let local = graph.value(of: "_local_tensor", in: slots) {
      let others = graph.entries(of: slots)?.filter { $0.value != local } ?? []
      graph.parts[id] =
        [Part(nil, local)] + state.dropLast().map { Part(nil, $0) }
        + others.map { Part(.attribute(graph.name($0.key) ?? "_"), $0.value) }
      if let whole { graph.setWholeShape(whole, of: local) }
    } else if let first = state.first, case .list(let run) = graph[first],
      run.count <= Limits.knownArguments
    {
      let shards = graph[run].map { shard in (shard, shardTensor(shard)) }
      guard shards.allSatisfy({ $0.1 != nil }) else { return }
      graph.parts[id] = state.dropFirst().map { Part(.attribute("_sharding"), $0) }
      for (index, (_, tensor)) in shards.enumerated() {
        guard let tensor else { continue }
        graph.parts[id]?.append(Part(shards.count > 1 ? .index(index) : nil, tensor))
        if let whole { graph.setWholeShape(whole, of: tensor) }
      }
    }
  }

  /// The tensor of a `Shard`, from its slots.
  private func shardTensor(_ shard: NodeID) -> NodeID? {
    guard case .object(let object) = graph[shard], let state = graph[object].state,
      let slots = graph.shortTuple(state)?.last
    else { return nil }
    return graph.value(of: "tensor", in: slots)
  }
}
