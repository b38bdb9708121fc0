internal import CkptBase
internal import CkptGraph
internal import CkptPlan
internal import CkptSkeleton

/// The entries that hold the bytes of tensors, and the names that share them.
struct TensorDeduplication {
  /// The entries of the file: the pickled values, and the tensors in order.
  private(set) var entries: [SafetensorsEntry]
  /// The names that share the bytes of another one, sorted.
  private(set) var aliases: [(name: String, kept: String)] = []
  /// The number of names without an entry because safetensors lacks their dtype.
  private(set) var leftOutCount = 0
  /// The entry of each tensor of the graph, by its number there.
  private(set) var placements: [SkeletonWriter.Placement?]
  private let graph: TensorGraph

  /// Stores the tensors of `leaves` under all of their names.
  ///
  /// If `tied` is `alias`, each is stored under one name (``TiedNames``), unless `metadata`, which
  /// the file keeps, has another value for one of the other names.
  ///
  /// - Throws: `unsupported` for a tensor without a name, in a file with a skeleton.
  init(
    _ leaves: EntryAssignment, of graph: TensorGraph, tied: SafetensorsOptions.TiedTensors,
    metadata: [(key: String, value: String)], _ notes: inout EncodingNotes
  ) throws(CheckpointError) {
    self.graph = graph
    entries = leaves.values
    placements = .init(repeating: nil, count: graph.tensors.count)
    for id in leaves.dataless {
      placements[graph.index(of: id)] = .init(name: nil, isDisguised: true)
    }
    var announced: [ExactString: String] = [:]
    for (key, value) in metadata { announced[ExactString(key)] = value }
    let keepers =
      tied == .alias ? keepers(leaves.tensors, Set(metadata.map { ExactString($0.value) })) : [:]
    entries.reserveCapacity(entries.count + leaves.tensors.count)
    for tensor in leaves.tensors {
      let (name, id) = (tensor.name, tensor.id)
      guard notes.hasSkeleton || !EntryForm(of: graph[id]).isDisguise else {
        leave(out: id, named: name, &notes)
        continue
      }
      if let kept = kept(by: keepers, id), ExactString(kept) != ExactString(name),
        announced[ExactString(name)] ?? kept == kept
      {
        aliases.append((name, kept))
        place(id, under: kept, followsKeys: false)
      } else {
        entries.append(entry(name, graph[id]))
        place(id, under: name, followsKeys: tensor.followsKeys)
      }
    }
    aliases.sort { $0.name.precedes($1.name) }
    try settleUnplaced(&notes)
  }

  /// Returns the name that stores each view shared by several tensors; a name that the metadata
  /// announces as such stays it.
  private func keepers(
    _ tensors: [EntryAssignment.NamedTensor], _ announced: Set<ExactString>
  ) -> [TensorView: String] {
    func rank(_ name: String) -> Int {
      announced.contains(ExactString(name)) ? -1 : TiedNames.rank(name)
    }
    var uses = [UInt8](repeating: 0, count: graph.storages.count)
    for tensor in tensors {
      guard let storage = graph.tensors[graph.index(of: tensor.id)].storage else { continue }
      uses[graph.index(of: storage)] = min(uses[graph.index(of: storage)] + 1, 2)
    }
    var keepers: [TensorView: String] = [:]
    for tensor in tensors {
      guard let storage = graph.tensors[graph.index(of: tensor.id)].storage,
        uses[graph.index(of: storage)] > 1, let view = TensorView(graph[tensor.id])
      else { continue }
      guard let kept = keepers[view], rank(kept) <= rank(tensor.name) else {
        keepers[view] = tensor.name
        continue
      }
    }
    return keepers
  }

  private func kept(by keepers: [TensorView: String], _ id: TensorID) -> String? {
    keepers.isEmpty ? nil : TensorView(graph[id]).flatMap { keepers[$0] }
  }

  /// Leaves out a tensor whose dtype only a skeleton can store.
  private mutating func leave(
    out id: TensorID, named name: String, _ notes: inout EncodingNotes
  ) {
    leftOutCount += 1
    placements[graph.index(of: id)] = .init(name: nil, isDisguised: true)
    notes.lose("tensor '\(name)' has dtype \(graph[id].dtype.name), which safetensors lacks")
  }

  private mutating func place(_ id: TensorID, under name: String, followsKeys: Bool) {
    guard placements[graph.index(of: id)] == nil else { return }
    placements[graph.index(of: id)] = .init(
      name: name, isDisguised: EntryForm(of: graph[id]).isDisguise, followsKeys: followsKeys)
  }

  private func entry(_ name: String, _ tensor: Tensor) -> SafetensorsEntry {
    let form = EntryForm(of: tensor)
    return SafetensorsEntry(
      name: name, dtype: form.dtype, shape: form.shape, data: tensor.segments(from: graph))
  }

  /// Reports tensors without a name: they are arguments of the call that rebuilds another tensor,
  /// where PyTorch has none.
  ///
  /// - Throws: `unsupported` for a file with a skeleton, which could not be read back.
  private func settleUnplaced(_ notes: inout EncodingNotes) throws(CheckpointError) {
    let mayBeUnplaced = graph.tensors.indices.contains {
      graph.tensors[$0].storage != nil && placements[$0] == nil
    }
    guard mayBeUnplaced else { return }
    let unplaced = graph.reachableTensors().first {
      graph[$0].storage != nil && placements[graph.index(of: $0)] == nil
    }
    guard let unplaced else { return }
    let message =
      "\(graph.description(of: graph[unplaced].node, limit: 60)) is inside the call that makes "
      + "another tensor"
    guard notes.hasSkeleton else { return notes.lose(message) }
    throw CheckpointError(
      .unsupported, message,
      remedy: .text("PyTorch does not write such files", .loseWithoutSkeleton))
  }
}
