internal import CkptBase
internal import CkptGraph

/// The model.
extension DeepSpeedReader {
  /// The weights by name: masters in float32, and what is not trained as it was saved.
  mutating func model(
    _ masters: [ExactString: NodeID]
  ) throws(CheckpointError) -> NodeID {
    let module = try required("module", in: models[0])
    guard let entries = files.graph.entries(of: module) else {
      throw CheckpointError(.malformed, "the module is not a dict")
    }
    var found = masters
    for (name, node) in try frozenParameters() { found[name] = node }
    var owners: [StorageID: ExactString] = [:]
    for (key, value) in entries {
      guard let name = files.graph.name(key).map({ ExactString($0) }), found[name] != nil,
        case .tensor(let tensor) = files.graph[value], let storage = files.graph[tensor].storage
      else { continue }
      owners[storage] = owners[storage] ?? name
    }
    let aliases = files.graph.value(of: "shared_params", in: models[0])
    let bufferNames = files.graph.value(of: "buffer_names", in: models[0])
    let buffers = Set(
      (bufferNames.flatMap { files.graph.elements(of: $0) } ?? []).compactMap {
        files.graph.name($0).map { ExactString($0) }
      })
    var pairs: [(key: NodeID, value: NodeID)] = []
    for (key, value) in entries {
      let name = files.graph.name(key) ?? ""
      var node = found[ExactString(name)]
      if node == nil, let source = source(of: name, value, aliases, owners),
        let owner = found[source],
        case .tensor(let tensor) = files.graph[owner]
      {
        node = try files.graph.addView(of: tensor)
      }
      if node == nil, stage == 3, case .tensor(let tensor) = files.graph[value],
        files.graph[tensor].shape == [0], !buffers.contains(ExactString(name))
      {
        throw CheckpointError(
          .malformed, "'\(name)' has no data, and param_shapes does not have it")
      }
      pairs.append((key, node ?? value))
    }
    let present = Set(entries.compactMap { files.graph.name($0.key).map { ExactString($0) } })
    for parameter in parameters where !present.contains(ExactString(parameter.name)) {
      guard let node = masters[ExactString(parameter.name)] else { continue }
      pairs.append((try files.graph.addString(parameter.name), node))
    }
    return try files.graph.addDict(pairs)
  }

  /// The parameter that a name is tied to: by `shared_params`, or because it had its storage.
  private func source(
    of name: String, _ value: NodeID, _ aliases: NodeID?, _ owners: [StorageID: ExactString]
  ) -> ExactString? {
    if let aliases, let alias = files.graph.value(of: name, in: aliases) {
      return files.graph.name(alias).map { ExactString($0) }
    }
    guard stage == 3, case .tensor(let tensor) = files.graph[value],
      let storage = files.graph[tensor].storage
    else { return nil }
    return owners[storage]
  }

  /// The frozen parameters of stage 3, of which each rank has a slice.
  private mutating func frozenParameters() throws(CheckpointError) -> [(ExactString, NodeID)] {
    guard stage == 3, let shapes = files.graph.value(of: "frozen_param_shapes", in: models[0]),
      let entries = files.graph.entries(of: shapes)
    else { return [] }
    var found: [(ExactString, NodeID)] = []
    for (key, value) in entries {
      guard let name = files.graph.name(key), let shape = files.graph.extents(value) else {
        throw CheckpointError(.malformed, "frozen_param_shapes has an entry that is no shape")
      }
      try Tensor.requireSize(shape, of: .float32)
      var ranks: [FlatVector] = []
      for model in models {
        let fragments = try required("frozen_param_fragments", in: model)
        var vector = FlatVector()
        try vector.append(required(name, in: fragments), in: files.graph)
        ranks.append(vector)
      }
      let vectors = FlatVectors(ranks)
      let blocks = try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
        let slice = vectors.sliceCount(shape.reduce(1, *))
        guard vectors.excess(behind: slice, isSliced: true) <= 0 else {
          throw CheckpointError(.malformed, "its fragments have more elements than its shape")
        }
        return try vectors.slices(of: shape, at: 0, files.graph)
      }
      found.append((ExactString(name), try add(vectors.dtype ?? .float32, shape, blocks, name)))
    }
    return found
  }
}

/// The optimizer.
extension DeepSpeedReader {
  /// The state of the optimizer in PyTorch's form, with the names of parameters in place of numbers.
  mutating func optimizer() throws(CheckpointError) -> NodeID {
    let key = stage == 3 ? "optimizer_state_dict" : "base_optimizer_state"
    var bases: [NodeID] = []
    for state in states { bases.append(try required(key, in: state)) }
    guard files.graph.isMapping(bases[0]) else {
      throw CheckpointError(
        .unsupported, "this is an elastic checkpoint of an old DeepSpeed",
        remedy: "load it with DeepSpeed and save it again")
    }
    // The states of the flat groups of each rank, in the order of their numbers.
    var groupStates: [[NodeID]] = []
    for base in bases {
      let states = files.graph.entries(of: try required("state", in: base)) ?? []
      groupStates.append(
        states.sorted { files.graph.int($0.key) ?? 0 < files.graph.int($1.key) ?? 0 }.map(\.value))
    }
    var fields: [[(name: String, node: NodeID)]] = parameters.map { _ in [] }
    for (name, isFlat) in stateFields(groupStates[0]) {
      if isFlat {
        let nodes = try tensors(
          vectors { (rank) throws(CheckpointError) in
            groupStates[rank].map { files.graph.value(of: name, in: $0) }
          })
        for (index, node) in nodes.enumerated() { fields[index].append((name, node)) }
      } else {
        for (index, parameter) in parameters.enumerated() {
          let groups = groupStates[0]
          let group = parameter.group < groups.count ? parameter.group : groups.count - 1
          guard let value = files.graph.value(of: name, in: groups[group]) else { continue }
          fields[index].append((name, try copy(of: value)))
        }
      }
    }
    var state: [(key: NodeID, value: NodeID)] = []
    for (parameter, fields) in zip(parameters, fields) where !fields.isEmpty {
      var pairs: [(key: NodeID, value: NodeID)] = []
      for (name, node) in fields { pairs.append((try files.graph.addString(name), node)) }
      state.append((try files.graph.addString(parameter.name), try files.graph.addDict(pairs)))
    }
    let groups = try parameterGroups(required("param_groups", in: bases[0]))
    return try files.graph.addDict([
      (files.graph.addString("state"), files.graph.addDict(state)),
      (files.graph.addString("param_groups"), groups),
    ])
  }

  /// The fields of the groups' states in order, and whether each element has one.
  private func stateFields(_ groups: [NodeID]) -> [(name: String, isFlat: Bool)] {
    var fields: [(name: String, isFlat: Bool)] = []
    for (key, value) in groups.first.flatMap({ files.graph.entries(of: $0) }) ?? [] {
      guard let name = files.graph.name(key) else { continue }
      var isFlat = false
      if case .tensor(let tensor) = files.graph[value] {
        isFlat = !files.graph[tensor].shape.isEmpty
      }
      fields.append((name, isFlat))
    }
    return fields
  }

  /// A value for another parameter: a tensor with a storage of its own, since optimizers count steps in
  /// place.
  private mutating func copy(of value: NodeID) throws(CheckpointError) -> NodeID {
    guard case .tensor(let id) = files.graph[value] else { return value }
    let tensor = files.graph[id]
    return try files.graph.addPackedTensor(
      tensor.dtype, tensor.shape, key: String(files.graph.storages.count),
      blocks: files.graph.blocks(of: tensor))
  }

  private mutating func parameterGroups(_ node: NodeID) throws(CheckpointError) -> NodeID {
    var groups: [NodeID] = []
    for (number, group) in (files.graph.elements(of: node) ?? []).enumerated() {
      var pairs: [(key: NodeID, value: NodeID)] = []
      for (key, value) in files.graph.entries(of: group) ?? []
      where !files.graph.text(of: key, equals: "params") {
        pairs.append((key, value))
      }
      var names: [NodeID] = []
      for parameter in parameters where parameter.group == number {
        names.append(try files.graph.addString(parameter.name))
      }
      let list = try files.graph.add(.list(files.graph.addChildren(names[...])))
      pairs.append((try files.graph.addString("params"), list))
      groups.append(try files.graph.addDict(pairs))
    }
    return try files.graph.add(.list(files.graph.addChildren(groups[...])))
  }
}
