internal import CkptBase
internal import CkptContainer
internal import CkptGraph

/// Puts a checkpoint of DeepSpeed's ZeRO together: `model`, `optimizer` with the moments under the
/// names of parameters, and what else was saved.
///
/// The ranks keep flat groups of float32 numbers. For stages 1 and 2 a group is cut after all its
/// parameters were joined; for stage 3 each parameter is cut by itself
/// (`deepspeed/utils/zero_to_fp32.py`). That script loses frozen parameters of stage 1 and casts them
/// for the others; here they are taken as they were saved.
struct DeepSpeedReader {
  /// A parameter that is trained.
  struct Parameter {
    var name: String
    var shape: [Int]
    var group: Int
    var count: Int
  }

  var files: RankFiles
  private let parts: DeepSpeedFiles
  /// The objects in the files with the model.
  var models: [NodeID] = []
  /// The states of the optimizer of each rank.
  var states: [NodeID] = []
  var stage = 0
  var parameters: [Parameter] = []

  /// Reads a save.
  ///
  /// - Throws: ``CheckpointError`` with the file or parameter in its path.
  static func read(
    _ files: DeepSpeedFiles, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    try CheckpointError.within(files.directory.text) { () throws(CheckpointError) in
      var reader = DeepSpeedReader(
        files: RankFiles(in: files.directory, options), parts: files)
      return try reader.read()
    }
  }

  private mutating func read() throws(CheckpointError) -> Checkpoint {
    guard !parts.models.isEmpty else {
      throw CheckpointError(
        .truncated, "the file with the model is missing",
        remedy: "download or copy the whole directory again")
    }
    for (_, name) in parts.models { models.append(try files.add(name)) }
    if parts.optimizers.isEmpty {
      // Shapes of parameters are there only if their values are in the files of the ranks.
      let shapes = files.graph.value(of: "param_shapes", in: models[0]) ?? TensorGraph.none
      if shapes != TensorGraph.none { try requireRanks([]) }
      try buildWhole()
    } else {
      try readRanks()
      try buildTree()
    }
    return Checkpoint(
      graph: files.graph,
      container: DeepSpeedDescription(
        stage: stage, rankCount: max(states.count, 1), fileCount: files.count),
      byteCount: files.byteCount, warnings: files.warnings.all)
  }

  private mutating func readRanks() throws(CheckpointError) {
    try requireRanks(parts.optimizers.map(\.rank))
    for (_, name) in parts.optimizers {
      let root = try files.add(name)
      let state = try CheckpointError.within(name) { () throws(CheckpointError) in
        try required("optimizer_state_dict", in: root)
      }
      states.append(state)
    }
    stage = try files.graph.enumerationNumber(required("zero_stage", in: states[0])) ?? 0
    guard 1...3 ~= stage else {
      throw CheckpointError(.unsupported, "ZeRO stage \(stage) is not supported")
    }
    if stage == 3 {
      try RankFileName.requireAll(parts.models.map(\.rank), of: states.count, "model state")
      guard models.count == states.count else {
        throw CheckpointError(
          .malformed, "there are \(models.count) files with the model of \(states.count) ranks",
          remedy: "remove the files of another save from the directory")
      }
    }
    try readParameters()
  }

  /// Checks that there is an optimizer state of every rank, and of no other.
  private func requireRanks(_ ranks: [Int]) throws(CheckpointError) {
    let count = files.graph.value(of: "dp_world_size", in: models[0]).flatMap {
      files.graph.int($0)
    }
    try RankFileName.requireAll(
      ranks, of: max(count ?? 0, (ranks.last ?? 0) + 1), "optimizer state")
    guard ranks.count == Set(ranks).count, ranks.count == count ?? ranks.count else {
      throw CheckpointError(
        .malformed,
        "there are \(ranks.count) files with the optimizer states of \(count ?? ranks.count) ranks",
        remedy: "remove the files of another save from the directory")
    }
  }

  private mutating func readParameters() throws(CheckpointError) {
    let shapes = try required("param_shapes", in: models[0])
    let groups =
      files.graph.isMapping(shapes)
      ? [shapes] : files.graph.elements(of: shapes).map(Array.init) ?? []
    for (number, group) in groups.enumerated() {
      guard let entries = files.graph.entries(of: group) else {
        throw CheckpointError(.malformed, "param_shapes has no dict for group \(number)")
      }
      for (key, value) in entries {
        guard let name = files.graph.name(key), let shape = files.graph.extents(value) else {
          throw CheckpointError(
            .malformed,
            "param_shapes has \(files.graph.description(of: key, limit: 40)) with "
              + files.graph.description(of: value, limit: 40))
        }
        try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
          try Tensor.requireSize(shape, of: .float32)
        }
        parameters.append(
          Parameter(name: name, shape: shape, group: number, count: shape.reduce(1, *)))
      }
    }
  }

  // MARK: Flat groups

  /// The flat groups of each rank: one vector for each group, or one for all in stage 3, whose
  /// groups are cut anew for every save.
  func vectors(
    _ groups: (_ rank: Int) throws(CheckpointError) -> [NodeID?]
  ) throws(CheckpointError) -> [[FlatVector]] {
    var ranks: [[FlatVector]] = []
    for rank in states.indices {
      let found = try CheckpointError.within("rank \(rank)") { () throws(CheckpointError) in
        var vectors: [FlatVector] = []
        for group in try groups(rank) {
          if stage < 3 || vectors.isEmpty { vectors.append(FlatVector()) }
          if let group { try vectors[vectors.count - 1].append(group, in: files.graph) }
        }
        return vectors
      }
      ranks.append(found)
    }
    return ranks
  }

  /// Makes tensors of all parameters from the vectors of the ranks.
  mutating func tensors(
    _ ranks: [[FlatVector]]
  ) throws(CheckpointError) -> [NodeID] {
    var places: [Int: Int] = [:]
    var joined: [Int: FlatVectors] = [:]
    var nodes: [NodeID] = []
    for parameter in parameters {
      let group = stage == 3 ? 0 : parameter.group
      guard ranks.allSatisfy({ group < $0.count }) else {
        throw CheckpointError(.malformed, "a rank lacks group \(group)")
      }
      let vectors = joined[group] ?? FlatVectors(ranks.map { $0[group] })
      joined[group] = vectors
      let place = places[group, default: 0]
      let blocks = try CheckpointError.within("'\(parameter.name)'") { () throws(CheckpointError) in
        stage == 3
          ? try vectors.slices(of: parameter.shape, at: place, files.graph)
          : try vectors.range(of: parameter.shape, at: place, files.graph)
      }
      places[group] =
        place + (stage == 3 ? vectors.sliceCount(parameter.count) : parameter.count)
      nodes.append(try add(vectors.dtype ?? .float32, parameter.shape, blocks, parameter.name))
    }
    for (group, vectors) in joined {
      // Groups are padded so that all ranks have as much, two elements for each at most.
      let padding = stage == 3 ? 0 : 2 * states.count
      guard vectors.excess(behind: places[group, default: 0], isSliced: stage == 3) <= padding
      else {
        throw CheckpointError(
          .malformed, "the flat groups have more elements than the parameters in param_shapes")
      }
    }
    return nodes
  }

  mutating func add(
    _ dtype: DType, _ shape: [Int], _ blocks: [PlacedBlocks.Block], _ name: String
  ) throws(CheckpointError) -> NodeID {
    try CheckpointError.within("'\(name)'") { () throws(CheckpointError) in
      try files.graph.addTensor(dtype, shape, of: blocks)
    }
  }

  // MARK: The tree

  private static let bookkeeping: Set<String> = [
    "module", "optimizer", "buffer_names", "param_shapes", "frozen_param_shapes",
    "frozen_param_fragments", "shared_params",
  ]

  private mutating func buildTree() throws(CheckpointError) {
    let masterKey = stage == 3 ? "fp32_flat_groups" : "single_partition_of_fp32_groups"
    let masters = try tensors(
      vectors { (rank) throws(CheckpointError) in
        files.graph.elements(of: try required(masterKey, in: states[rank])).map(Array.init) ?? []
      })
    var byName: [ExactString: NodeID] = [:]
    for (parameter, node) in zip(parameters, masters) { byName[ExactString(parameter.name)] = node }
    try setRoot(model(byName), optimizer())
  }

  /// A save without ZeRO: one ordinary file.
  private mutating func buildWhole() throws(CheckpointError) {
    try setRoot(
      required("module", in: models[0]), files.graph.value(of: "optimizer", in: models[0]))
  }

  private mutating func setRoot(_ model: NodeID, _ optimizer: NodeID?) throws(CheckpointError) {
    var pairs = [(key: try files.graph.addString("model"), value: model)]
    if let optimizer, optimizer != TensorGraph.none {
      pairs.append((try files.graph.addString("optimizer"), optimizer))
    }
    let others = files.graph.entries(of: models[0]) ?? []
    pairs += others.filter { entry in
      !Self.bookkeeping.contains(files.graph.name(entry.key) ?? "")
    }
    files.graph.root = try files.graph.addDict(pairs)
  }

  func required(_ key: String, in node: NodeID) throws(CheckpointError) -> NodeID {
    guard let value = files.graph.value(of: key, in: node) else {
      throw CheckpointError(
        .malformed, "'\(key)' is missing: this is not a save of DeepSpeed's ZeRO")
    }
    return value
  }
}
