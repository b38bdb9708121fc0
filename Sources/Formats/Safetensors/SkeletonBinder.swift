internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptSkeleton

/// Merges the object that a skeleton describes with the entries of its file.
///
/// The file wins: if its tensors were changed after the skeleton was written, the object gets the
/// changed tensors, and a warning names each change.
struct SkeletonBinder: ~Copyable {
  /// The machine that adds the pickled values of the file to the object's graph.
  var machine: Unpickler
  /// The container that the object comes from.
  private(set) var origin: (any ContainerDescription)?
  /// Other regions of the file with the elements of a tensor; all must be equal.
  var copies: [TensorID: [FileRegion]] = [:]
  let layout: Layout
  let data: EntryData
  let entries: EntryTable
  private let references: [ParsedSkeleton.TensorReference]
  /// The places of the tensors' elements, by node index.
  private var sources: [Source]
  /// For every entry, whether the object has a place for it.
  private var isUsed: [Bool]
  /// The storages of changed tensors, by the names of their entries.
  private(set) var newStorages: [ExactString: StorageID] = [:]
  /// The tensors whose entries are missing, and the names of those.
  private var missing: [NodeID: String] = [:]
  /// The changes to leaves.
  var changes = EntryEdits()
  /// The log of all changes.
  var edits = EditLog()
  private var lastShape = PackedShape()

  /// Warnings for the user.
  var warnings: [String] { edits.warnings + machine.dropped.warnings }

  /// Creates a binder for `skeleton` and the entries of its file.
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
    sources = Array(repeating: .unknown, count: machine.graph.nodeCount)
    self.data = data
  }

  /// The place of a tensor's elements.
  private enum Source {
    /// No place is known.
    case unknown
    /// The entry that is named by the first path to the tensor.
    case path
    /// An entry, by its number.
    case entry(Int32)
    /// An entry that is missing.
    case missing
  }

  /// Binds the tensors, and applies changes of the file.
  ///
  /// - Throws: `malformed` for an inconsistent skeleton, `unsupported` for changes that its object
  ///   cannot hold, `conflict` if two copies of a tensor differ.
  mutating func bind() throws(CheckpointError) {
    for reference in references { try bind(reference) }
    try settle()
    try requireGone()
    dropUnusedStorages()
  }

  // MARK: Tensors

  private mutating func bind(_ reference: ParsedSkeleton.TensorReference) throws(CheckpointError) {
    if !reference.hasConstruction {
      guard case .entry(let name) = reference.place else {
        throw CheckpointError(.malformed, "a tensor has neither a name nor a construction")
      }
      guard let entry = takeEntry(name, of: reference.node) else { return }
      let tensor = data.tensor(entry, node: reference.node, in: &machine.graph, &lastShape)
      return machine.graph.add(tensor)
    }
    guard case .tensor(let id) = machine.graph[reference.node] else {
      let name = if case .entry(let name) = reference.place { " of tensor '\(name)'" } else { "" }
      throw CheckpointError(
        .malformed, "the construction\(name) is invalid")
    }
    switch reference.place {
    case .nowhere: return
    case .path: sources[machine.graph.index(of: reference.node)] = .path
    case .entry(let name): try bind(id, to: name)
    }
  }

  /// Gives a tensor the elements of the entry `name`.
  private mutating func bind(_ id: TensorID, to name: String) throws(CheckpointError) {
    guard let entry = takeEntry(name, of: machine.graph[id].node) else { return }
    if entry.describes(machine.graph[id]) {
      machine.graph.setPacked(data.region(of: entry), of: id)
    } else {
      try follow(entry, id)
    }
  }

  /// Records the entry for a tensor's elements, and returns it if it is present.
  private mutating func takeEntry(_ name: String, of node: NodeID) -> SafetensorsHeaderEntry? {
    guard let index = entries.index(of: name) else {
      sources[machine.graph.index(of: node)] = .missing
      missing[node] = name
      return nil
    }
    sources[machine.graph.index(of: node)] = .entry(Int32(truncatingIfNeeded: index))
    return use(index)
  }

  /// Returns the entry at an index and marks it as used.
  mutating func use(_ index: Int) -> SafetensorsHeaderEntry {
    isUsed[index] = true
    return entries.all[index]
  }

  /// Returns the entries that the object has no place for.
  func unusedEntries() -> [SafetensorsHeaderEntry] {
    entries.all.indices.filter { !isUsed[$0] }.map { entries.all[$0] }
  }

  /// Checks that each tensor either has an entry or has no bytes.
  private func requireSources() throws(CheckpointError) {
    for tensor in machine.graph.tensors where tensor.storage != nil {
      switch sources[machine.graph.index(of: tensor.node)] {
      case .entry, .missing: continue
      case .unknown, .path: break
      }
      throw CheckpointError(.malformed, "the skeleton does not name the entry of a tensor")
    }
  }

  /// Changes a tensor to match its entry.
  private mutating func follow(
    _ entry: SafetensorsHeaderEntry, _ id: TensorID
  ) throws(CheckpointError) {
    let old = machine.graph[id]
    guard case .call(let object) = old.origin,
      Self.isPlain(machine.graph[object], in: machine.graph)
    else {
      throw EditLog.refusal(
        "tensor '\(label(of: entry.name))' was changed, and its container cannot hold the change")
    }
    var new = data.tensor(entry, node: old.node, in: &machine.graph, &lastShape)
    let name = ExactString(entry.name)
    if let known = newStorages[name] { new.storage = known }
    newStorages[name] = new.storage
    new.requiresGradient = old.requiresGradient
    machine.graph.replace(id, with: new)
    edits.note(change: label(of: entry.name), from: Self.text(old), to: Self.text(new))
  }

  /// Returns the name of an entry for messages.
  func label(of name: String) -> String {
    layout == .olmo ? OLMoNameDecoder.label(of: name) : name
  }

  /// Whether a construction adds nothing to its tensor.
  private static func isPlain(_ object: ObjectNode, in graph: TensorGraph) -> Bool {
    ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"].contains {
      graph.globalName(object.callable) == "torch._utils.\($0)"
    }
  }

  private static func text(_ tensor: Tensor) -> String { "\(tensor.dtype.name) \(tensor.shape)" }

  /// Checks that nothing refers to a tensor without an entry.
  ///
  /// - Throws: `unsupported` if a container other than a dict does.
  private func requireGone() throws(CheckpointError) {
    guard !missing.isEmpty else { return }
    let reachable = Set(machine.graph.reachable(from: [machine.graph.root]))
    let order = missing.sorted { machine.graph.index(of: $0.key) < machine.graph.index(of: $1.key) }
    for (node, name) in order where reachable.contains(node) {
      if case .tensor(let id) = machine.graph[node],
        machine.graph[id].storage == nil || machine.graph[id].packed != nil
      {
        continue
      }
      throw EditLog.refusal(
        "'\(label(of: name))' is not in the file, but its container cannot drop it")
    }
  }

  /// Removes the storages that only removed or changed tensors used.
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
  /// Compares the leaves of the object with the entries of the file, and applies the changes of the
  /// file.
  ///
  /// - Throws: `unsupported` for changes that the object cannot hold, `conflict` if two copies of a
  ///   tensor differ.
  mutating func settle() throws(CheckpointError) {
    let leaves = try LeafWalk.leaves(of: machine.graph)
    var names = TensorNames(graph: machine.graph, layout: layout, count: leaves.all.count)
    for leaf in leaves.all {
      switch leaf.kind {
      case .tensor:
        let name =
          layout == .plain
          ? names.plainName(of: leaf, among: leaves)
          : try names.name(of: leaf, at: leaves.path(to: leaf))
        try settle(
          leaf, leaves, name: name, label: names.plainName(of: leaves.path(to: leaf)))
      case .value where layout == .olmo:
        let path = leaves.path(to: leaf)
        let name = try names.name(of: leaf, at: path, isPickled: true)
        try settleValue(leaf, leaves, name: name, label: names.plainName(of: path))
      case .value, .emptyMapping, .cycle: continue
      }
    }
    try requireSources()
    try addUnusedEntries(leaves)
    if let label = changes.apply(to: &machine.graph) { throw Self.cannotFollow(label) }
  }

  private mutating func settle(
    _ leaf: Leaf, _ leaves: Leaves, name: String, label: @autoclosure () -> String
  ) throws(CheckpointError) {
    let place = machine.graph.index(of: leaf.node)
    if case .path = sources[place], case .tensor(let id) = machine.graph[leaf.node] {
      try bind(id, to: name)
    }
    let source: String
    switch sources[place] {
    case .unknown, .path: return
    case .entry(let index): source = entries.all[Int(index)].name
    case .missing: source = missing[leaf.node] ?? ""
    }
    if ExactString(name) != ExactString(source), let index = entries.index(of: name) {
      try settleSecondPlace(leaf.node, use(index), source: source, label: label())
    } else if missing[leaf.node] != nil {
      try remove(leaf, leaves, label: label())
    }
  }

  /// Handles another place of a tensor, with its own copy of the bytes.
  private mutating func settleSecondPlace(
    _ node: NodeID, _ entry: SafetensorsHeaderEntry, source: String,
    label: @autoclosure () -> String
  ) throws(CheckpointError) {
    guard case .tensor(let id) = machine.graph[node], entry.describes(machine.graph[id]) else {
      throw EditLog.refusal(
        "'\(label())' and '\(self.label(of: source))' are one tensor, but now they differ",
        .conflict)
    }
    guard newStorages[ExactString(source)] == nil else {
      throw EditLog.refusal(
        "'\(label())' and '\(self.label(of: source))' are one tensor, and both were changed",
        .conflict)
    }
    if missing[node] != nil, machine.graph[id].packed == nil {
      // The entry that the skeleton names is missing; the tensor uses this one.
      machine.graph.setPacked(data.region(of: entry), of: id)
    } else {
      copies[id, default: []].append(data.region(of: entry))
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
        "'\(label)' was removed, and its container cannot drop it")
    }
    edits.note(removal: label)
  }
  private static func cannotFollow(_ label: String) -> CheckpointError {
    EditLog.refusal("'\(label)' was changed, and its container cannot hold the change")
  }
}
