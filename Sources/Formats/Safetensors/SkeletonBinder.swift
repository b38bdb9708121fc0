internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptSkeleton

/// Puts the object that a skeleton describes together with the entries of its file.
///
/// The file wins: where its tensors were changed after the skeleton was written, the object follows
/// them and a warning tells what changed.
struct SkeletonBinder: ~Copyable {
  /// The machine that adds pickled values of the file to the graph of the object.
  var machine: Unpickler
  /// The container that it comes from.
  private(set) var origin: (any ContainerDescription)?
  /// Where else the file has elements of a tensor; they must be equal.
  var copies: [TensorID: [FileRegion]] = [:]
  let layout: Layout
  let data: EntryData
  let entries: EntryTable
  private let references: [ParsedSkeleton.TensorReference]
  /// Where a tensor's elements should be: the name of the entry, and which it is if it is there.
  private(set) var sources: [NodeID: (name: String, entry: Int?)] = [:]
  /// For every entry, whether the object has a place for it.
  private var isUsed: [Bool]
  /// The storages of tensors that were changed, by the names of their entries.
  private(set) var newStorages: [ExactString: StorageID] = [:]
  /// The tensors whose entries are not there.
  private var missing: [NodeID] = []
  /// What becomes of leaves that the file has changed.
  var changes = EntryEdits()
  /// All that was changed, in words.
  var edits = EditLog()
  private var lastShape = PackedShape()

  /// What the user should know.
  var warnings: [String] { edits.warnings + machine.dropped.warnings }

  /// A binder of `skeleton` to the entries of its file.
  init(
    _ skeleton: consuming ParsedSkeleton, _ entries: [SafetensorsHeaderEntry], _ data: EntryData,
    _ options: ReadingOptions
  ) {
    machine = Unpickler(
      graph: skeleton.graph, unsafeGlobals: options.dropsUnsafe ? .drop : .refuse)
    origin = skeleton.origin
    layout = skeleton.layout
    references = skeleton.tensors
    self.entries = EntryTable(entries)
    isUsed = Array(repeating: false, count: entries.count)
    sources.reserveCapacity(references.count)
    self.data = data
  }

  /// Finds the tensors, and follows the file where it was changed.
  ///
  /// - Throws: `malformed` for a skeleton that is not of one piece, `unsupported` for changes that
  ///   its object cannot follow, `conflict` where two copies of a tensor have become two tensors.
  mutating func bind() throws(CheckpointError) {
    for reference in references { try bind(reference) }
    try requireSources()
    try settle()
    try requireGone()
    dropUnusedStorages()
  }

  // MARK: Tensors

  private mutating func bind(_ reference: ParsedSkeleton.TensorReference) throws(CheckpointError) {
    if !reference.hasConstruction {
      guard let name = reference.name else {
        throw CheckpointError(.malformed, "a tensor has neither a name nor a construction")
      }
      guard let entry = takeEntry(name, of: reference.node) else { return }
      let tensor = data.tensor(entry, node: reference.node, in: &machine.graph, &lastShape)
      return machine.graph.add(tensor)
    }
    guard case .tensor(let id) = machine.graph[reference.node] else {
      throw CheckpointError(
        .malformed,
        "what should be the construction of tensor '\(reference.name ?? "")' is not one")
    }
    guard let name = reference.name, let entry = takeEntry(name, of: reference.node) else { return }
    if entry.describes(machine.graph[id]) {
      machine.graph.setPacked(data.region(of: entry), of: id)
    } else {
      try follow(entry, id)
    }
  }

  /// Notes the entry that should have a tensor's elements; returns it if it is there.
  private mutating func takeEntry(_ name: String, of node: NodeID) -> SafetensorsHeaderEntry? {
    let index = entries.index(of: name)
    sources[node] = (name, index)
    if index == nil { missing.append(node) }
    return index.map { use($0) }
  }

  /// The entry in a place, which counts as used from now on.
  mutating func use(_ index: Int) -> SafetensorsHeaderEntry {
    isUsed[index] = true
    return entries.all[index]
  }

  /// The entries that the object has no place for.
  func unusedEntries() -> [SafetensorsHeaderEntry] {
    entries.all.indices.filter { !isUsed[$0] }.map { entries.all[$0] }
  }

  /// A tensor has its bytes somewhere, or has none.
  private func requireSources() throws(CheckpointError) {
    for tensor in machine.graph.tensors where tensor.storage != nil && sources[tensor.node] == nil {
      throw CheckpointError(.malformed, "the skeleton does not name the entry of a tensor")
    }
  }

  /// Makes a tensor what its entry is now.
  private mutating func follow(
    _ entry: SafetensorsHeaderEntry, _ id: TensorID
  ) throws(CheckpointError) {
    let old = machine.graph[id]
    guard case .call(let object) = old.origin,
      Self.isPlain(machine.graph[object], in: machine.graph)
    else {
      throw EditLog.refusal(
        "tensor '\(label(of: entry.name))' was changed, and what it is part of cannot follow")
    }
    var new = data.tensor(entry, node: old.node, in: &machine.graph, &lastShape)
    let name = ExactString(entry.name)
    if let known = newStorages[name] { new.storage = known }
    newStorages[name] = new.storage
    new.requiresGradient = old.requiresGradient
    machine.graph.replace(id, with: new)
    edits.note(change: label(of: entry.name), from: Self.text(old), to: Self.text(new))
  }

  /// The name of an entry for messages.
  func label(of name: String) -> String {
    layout == .olmo ? OLMoNameDecoder.label(of: name) : name
  }

  /// Whether a construction says no more than what a tensor consists of.
  private static func isPlain(_ object: ObjectNode, in graph: TensorGraph) -> Bool {
    ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"].contains {
      graph.globalName(object.callable) == "torch._utils.\($0)"
    }
  }

  private static func text(_ tensor: Tensor) -> String { "\(tensor.dtype.name) \(tensor.shape)" }

  /// Makes sure that nothing refers to a tensor any more whose entry is not there.
  ///
  /// - Throws: `unsupported` where something does that is no dict.
  private func requireGone() throws(CheckpointError) {
    guard !missing.isEmpty else { return }
    let reachable = Set(machine.graph.reachable(from: [machine.graph.root]))
    for node in missing where reachable.contains(node) {
      if case .tensor(let id) = machine.graph[node],
        machine.graph[id].storage == nil || machine.graph[id].packed != nil
      {
        continue
      }
      let name = sources[node].map { label(of: $0.name) } ?? ""
      throw EditLog.refusal(
        "'\(name)' is not in the file, and what refers to it cannot follow")
    }
  }

  /// Forgets the storages that only removed or changed tensors were views of.
  private mutating func dropUnusedStorages() {
    guard !edits.isEmpty, origin != nil else { return }
    let reachable = Set(machine.graph.reachable(from: [machine.graph.root]))
    var before: Set<ExactString> = []
    var after: Set<ExactString> = []
    for storage in machine.graph.storages { before.insert(ExactString(storage.key)) }
    for tensor in machine.graph.tensors where reachable.contains(tensor.node) {
      if let id = tensor.storage { after.insert(ExactString(machine.graph[id].key)) }
    }
    SkeletonSource.removeStorages(before.subtracting(after), from: &origin)
  }
}

extension SkeletonBinder {
  /// Compares what the file should have for the leaves of the object with what it has, and follows
  /// the file.
  ///
  /// - Throws: `unsupported` for changes that the object cannot follow, `conflict` where two copies
  ///   of a tensor have become two tensors.
  mutating func settle() throws(CheckpointError) {
    let leaves = try LeafWalk.leaves(of: machine.graph)
    var names = TensorNames(graph: machine.graph, layout: layout, count: leaves.all.count)
    for leaf in leaves.all {
      switch leaf.kind {
      case .tensor:
        guard let source = sources[leaf.node] else { continue }
        let name =
          layout == .plain
          ? names.plainName(of: leaf, among: leaves)
          : try names.name(of: leaf, at: leaves.path(to: leaf))
        try settle(
          leaf, leaves, name: name, source: source,
          label: names.plainName(of: leaves.path(to: leaf)))
      case .value where layout == .olmo:
        let path = leaves.path(to: leaf)
        let name = try names.name(of: leaf, at: path, isPickled: true)
        try settleValue(leaf, leaves, name: name, label: names.plainName(of: path))
      case .value, .emptyMapping, .cycle: continue
      }
    }
    try addUnusedEntries(leaves)
    if let label = changes.apply(to: &machine.graph) { throw Self.cannotFollow(label) }
  }

  private mutating func settle(
    _ leaf: Leaf, _ leaves: Leaves, name: String, source: (name: String, entry: Int?),
    label: @autoclosure () -> String
  ) throws(CheckpointError) {
    if ExactString(name) != ExactString(source.name), let index = entries.index(of: name) {
      // Another place of the same tensor, with its bytes once more.
      let entry = use(index)
      guard case .tensor(let id) = machine.graph[leaf.node], entry.describes(machine.graph[id])
      else {
        throw EditLog.refusal(
          "'\(label())' is one tensor with '\(self.label(of: source.name))', and they differ now",
          .conflict)
      }
      guard newStorages[ExactString(source.name)] == nil else {
        throw EditLog.refusal(
          "'\(label())' is one tensor with '\(self.label(of: source.name))', and both were changed",
          .conflict)
      }
      if source.entry == nil, machine.graph[id].packed == nil {
        // The place that the skeleton names is gone; the tensor lives on in this one.
        machine.graph.setPacked(data.region(of: entry), of: id)
      } else {
        copies[id, default: []].append(data.region(of: entry))
      }
    } else if source.entry == nil {
      try remove(leaf, leaves, label: label())
    }
  }

  private mutating func settleValue(
    _ leaf: Leaf, _ leaves: Leaves, name: String, label: @autoclosure () -> String
  ) throws(CheckpointError) {
    guard let index = entries.index(of: name) else {
      return try remove(leaf, leaves, label: label())
    }
    let entry = use(index)
    let expected = try Pickler.pickle(
      leaf.node, of: machine.graph, protocol: TensorNames.olmoProtocol, strings: .asLoaded())
    let found = try data.pickle(of: entry)
    guard found != expected else { return }
    let value = try data.value(of: entry, with: &machine)
    guard changes.put(value, in: leaf, of: leaves, label: label()) else {
      throw Self.cannotFollow(label())
    }
    edits.note(
      change: label(), from: machine.graph.description(of: leaf.node, limit: 40),
      to: machine.graph.description(of: value, limit: 40))
  }

  private mutating func remove(
    _ leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(CheckpointError) {
    guard changes.remove(leaf, of: leaves, label: label) else {
      throw EditLog.refusal(
        "'\(label)' is gone from the file, and what held it cannot do without it")
    }
    edits.note(removal: label)
  }
  private static func cannotFollow(_ label: String) -> CheckpointError {
    EditLog.refusal("'\(label)' was changed, and what it is part of cannot follow")
  }
}
