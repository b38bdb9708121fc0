internal import Bytes
internal import Graph
internal import Pickle
internal import Torch

/// Puts the object that a skeleton describes together with the entries of its file.
///
/// The file wins: where its tensors were changed after the skeleton was written, the object follows
/// them and a warning tells what changed.
struct SkeletonBinder {
  /// The object.
  private(set) var graph: TensorGraph
  /// The archive that it comes from.
  private(set) var archive: TorchArchiveDescription?
  /// Where else the file has elements of a tensor; they must be equal.
  private(set) var copies: [TensorID: [FileRegion]] = [:]
  private let layout: Layout
  private let data: EntryData
  private let entries: EntryTable
  private let options: ReadingOptions
  private let references: [Skeleton.TensorReference]
  /// Where a tensor's elements should be: the name of the entry, and which it is if it is there.
  private var sources: [NodeID: (name: String, entry: Int?)] = [:]
  /// For every entry, whether the object has a place for it.
  private var isUsed: [Bool]
  /// The storages of tensors that were changed, by the names of their entries.
  private var newStorages: [ExactString: StorageID] = [:]
  /// The tensors whose entries are not there.
  private var missing: [NodeID] = []
  /// The values to put into dicts, by their keys, and the first of them in words.
  private var replacements: [NodeID: (values: [NodeID: NodeID], label: String)] = [:]
  /// The keys to take out of dicts.
  private var removals: [NodeID: Set<NodeID>] = [:]
  private var edits = SkeletonEdits()
  private var machineWarnings: [String] = []

  /// What the user should know.
  var warnings: [String] { edits.warnings + machineWarnings }

  /// A binder of `skeleton` to the entries of its file.
  init(
    _ skeleton: consuming Skeleton, _ entries: [SafetensorsHeaderEntry], _ data: EntryData,
    _ options: ReadingOptions
  ) {
    graph = skeleton.graph
    archive = skeleton.source
    layout = skeleton.layout
    references = skeleton.tensors
    self.entries = EntryTable(entries)
    isUsed = Array(repeating: false, count: entries.count)
    sources.reserveCapacity(references.count)
    self.data = data
    self.options = options
  }

  /// Finds the tensors, and follows the file where it was changed.
  ///
  /// - Throws: `malformed` for a skeleton that is not of one piece, `unsupported` for changes that
  ///   its object cannot follow, `conflict` where two copies of a tensor have become two tensors.
  mutating func bind() throws(FormatError) {
    try recognise()
    for reference in references { try bind(reference) }
    try requireSources()
    try settle()
    try requireGone()
    dropUnusedStorages()
  }

  private mutating func recognise() throws(FormatError) {
    var taken = TensorGraph()
    swap(&taken, &graph)
    var recogniser = TensorRecogniser(graph: taken, storages: SkeletonStorages(archive))
    taken = TensorGraph()
    try recogniser.recognise()
    graph = recogniser.finish()
  }

  // MARK: Tensors

  private mutating func bind(_ reference: Skeleton.TensorReference) throws(FormatError) {
    if !reference.hasConstruction {
      guard let name = reference.name else {
        throw FormatError(.malformed, "a tensor has neither a name nor a construction")
      }
      guard let entry = takeEntry(name, of: reference.node) else { return }
      let tensor = data.tensor(entry, node: reference.node, in: &graph)
      return graph.add(tensor)
    }
    guard case .tensor(let id) = graph[reference.node] else {
      throw FormatError(
        .malformed,
        "what should be the construction of tensor '\(reference.name ?? "")' is not one")
    }
    guard let name = reference.name, let entry = takeEntry(name, of: reference.node) else { return }
    if entry.describes(graph[id]) {
      graph.setPacked(data.region(of: entry), of: id)
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
  private mutating func use(_ index: Int) -> SafetensorsHeaderEntry {
    isUsed[index] = true
    return entries.all[index]
  }

  /// A tensor has its bytes somewhere, or has none.
  private func requireSources() throws(FormatError) {
    for tensor in graph.tensors where tensor.storage != nil && sources[tensor.node] == nil {
      throw FormatError(.malformed, "the skeleton does not name the entry of a tensor")
    }
  }

  /// Makes a tensor what its entry is now.
  private mutating func follow(
    _ entry: SafetensorsHeaderEntry, _ id: TensorID
  ) throws(FormatError) {
    let old = graph[id]
    guard case .call(let object) = old.origin, Self.isPlain(graph[object], in: graph) else {
      throw FormatError(
        .unsupported,
        "tensor '\(label(of: entry.name))' was changed, and what it is part of cannot follow",
        hint: Self.hint)
    }
    var new = data.tensor(entry, node: old.node, in: &graph)
    let name = ExactString(entry.name)
    if let known = newStorages[name] { new.storage = known }
    newStorages[name] = new.storage
    new.requiresGradient = old.requiresGradient
    graph.replace(id, with: new)
    edits.note(change: label(of: entry.name), from: Self.text(old), to: Self.text(new))
  }

  /// The name of an entry for messages.
  private func label(of name: String) -> String {
    layout == .olmo ? OLMoNameDecoder.label(of: name) : name
  }

  /// Whether a construction says no more than what a tensor consists of.
  private static func isPlain(_ object: ObjectNode, in graph: TensorGraph) -> Bool {
    ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"].contains {
      graph.globalName(object.callable) == "torch._utils.\($0)"
    }
  }

  private static func text(_ tensor: Tensor) -> String { "\(tensor.dtype.name) \(tensor.shape)" }

  // MARK: Leaves

  /// Compares what the file should have with what it has.
  private mutating func settle() throws(FormatError) {
    let leaves = try LeafWalk.leaves(of: graph)
    var names = TensorNames(graph: graph, layout: layout)
    names.reserveCapacity(leaves.all.count)
    for leaf in leaves.all {
      let path = leaves.path(to: leaf)
      switch leaf.kind {
      case .tensor:
        guard let source = sources[leaf.node] else { continue }
        let name = try names.name(of: leaf, at: path)
        try settle(leaf, leaves, name: name, source: source, label: names.plainName(of: path))
      case .value where layout == .olmo:
        let name = try names.name(of: leaf, at: path, isPickled: true)
        try settleValue(leaf, leaves, name: name, label: names.plainName(of: path))
      case .value, .emptyMapping, .cycle: continue
      }
    }
    let additions = entries.all.indices.filter { !isUsed[$0] }.map { entries.all[$0] }
    if !additions.isEmpty {
      var places = try AdditionPlaces(graph: graph, leaves: leaves, layout: layout)
      var grown: Set<NodeID> = []
      for entry in additions { grown.insert(try add(entry, &places)) }
      for dict in grown where try graph.hasEqualKeys(dict) {
        throw FormatError(
          .conflict, "tensors were added in places where the object has other values",
          hint: Self.hint)
      }
    }
    try applyChanges()
  }

  private mutating func settle(
    _ leaf: Leaf, _ leaves: Leaves, name: String, source: (name: String, entry: Int?),
    label: @autoclosure () -> String
  ) throws(FormatError) {
    if ExactString(name) != ExactString(source.name), let index = entries.index(of: name) {
      // Another place of the same tensor, with its bytes once more.
      let entry = use(index)
      guard case .tensor(let id) = graph[leaf.node], entry.describes(graph[id]) else {
        throw FormatError(
          .conflict,
          "'\(label())' is one tensor with '\(self.label(of: source.name))', and they differ now",
          hint: Self.hint)
      }
      guard newStorages[ExactString(source.name)] == nil else {
        throw FormatError(
          .conflict,
          "'\(label())' is one tensor with '\(self.label(of: source.name))', and both were changed",
          hint: Self.hint)
      }
      if source.entry == nil, graph[id].packed == nil {
        // The place that the skeleton names is gone; the tensor lives on in this one.
        graph.setPacked(data.region(of: entry), of: id)
      } else {
        copies[id, default: []].append(data.region(of: entry))
      }
    } else if source.entry == nil {
      try remove(leaf, leaves, label: label())
    }
  }

  private mutating func settleValue(
    _ leaf: Leaf, _ leaves: Leaves, name: String, label: @autoclosure () -> String
  ) throws(FormatError) {
    guard let index = entries.index(of: name) else {
      return try remove(leaf, leaves, label: label())
    }
    let entry = use(index)
    let expected = try Pickler.pickle(
      leaf.node, of: graph, protocol: TensorNames.olmoProtocol, strings: .asLoaded())
    let found = try data.pickle(of: entry)
    guard found != expected else { return }
    let value = try withMachine { [data] (machine) throws(FormatError) in
      try data.value(of: entry, with: &machine)
    }
    try put(value, in: leaf, leaves, label: label())
    edits.note(
      change: label(), from: graph.description(of: leaf.node, limit: 40),
      to: graph.description(of: value, limit: 40))
  }

  // MARK: Changes

  private mutating func remove(
    _ leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(FormatError) {
    guard let step = leaves.lastStep(to: leaf), case .key(let key) = step.component,
      leaf.tensorStepCount == nil
    else {
      throw FormatError(
        .unsupported, "'\(label)' is gone from the file, and what held it cannot do without it",
        hint: Self.hint)
    }
    removals[step.container, default: []].insert(key)
    edits.note(removal: label)
  }

  private mutating func put(
    _ value: NodeID, in leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(FormatError) {
    guard let step = leaves.lastStep(to: leaf), case .key(let key) = step.component else {
      throw Self.cannotFollow("'\(label)' was changed")
    }
    replacements[step.container, default: ([:], label)].values[key] = value
  }

  private static func cannotFollow(_ what: String) -> FormatError {
    FormatError(.unsupported, "\(what), and what it is part of cannot follow", hint: hint)
  }

  private mutating func applyChanges() throws(FormatError) {
    for (container, (values, label)) in replacements.sorted(by: { $0.value.label < $1.value.label })
    {
      guard graph.setValues(values, in: container) else {
        throw Self.cannotFollow("'\(label)' was changed")
      }
    }
    for (container, keys) in removals {
      guard graph.removeEntries(of: container, withKeys: keys) else {
        throw FormatError(
          .unsupported, "tensors are gone from the file that an object was made with",
          hint: Self.hint)
      }
    }
  }

  /// Runs `body` with a machine that adds to the graph.
  private mutating func withMachine<Result>(
    _ body: (inout Unpickler) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    var taken = TensorGraph()
    swap(&taken, &graph)
    var machine = Unpickler(graph: taken, unsafeGlobals: options.dropsUnsafe ? .drop : .refuse)
    taken = TensorGraph()
    let result = try body(&machine)
    machineWarnings += machine.warnings
    graph = machine.finish()
    return result
  }

  /// Adds what is new in the file; returns the dict that it went to.
  private mutating func add(
    _ entry: SafetensorsHeaderEntry, _ places: inout AdditionPlaces
  ) throws(FormatError) -> NodeID {
    let (place, value) = try FormatError.within("tensor '\(entry.name)'") {
      () throws(FormatError) in
      try withMachine { [data] (machine) throws(FormatError) in
        let place = try places.place(for: entry.name, with: &machine)
        guard !place.isPickled else { return (place, try data.value(of: entry, with: &machine)) }
        let node = try machine.graph.add(.none)
        let tensor = data.tensor(entry, node: node, in: &machine.graph)
        machine.graph.add(tensor)
        return (place, node)
      }
    }
    guard graph.appendEntry(key: place.key, value: value, to: place.dict) else {
      throw FormatError(
        .unsupported, "'\(place.label)' was added, and the object is not a dict",
        hint: Self.hint)
    }
    edits.note(addition: place.label)
    return place.dict
  }

  /// Makes sure that nothing refers to a tensor any more whose entry is not there.
  ///
  /// - Throws: `unsupported` where something does that is no dict.
  private func requireGone() throws(FormatError) {
    guard !missing.isEmpty else { return }
    let reachable = Set(graph.reachable(from: [graph.root]))
    for node in missing where reachable.contains(node) {
      if case .tensor(let id) = graph[node], graph[id].storage == nil || graph[id].packed != nil {
        continue
      }
      throw FormatError(
        .unsupported,
        "'\(sources[node].map { label(of: $0.name) } ?? "")' is not in the file, and what refers to it cannot follow",
        hint: Self.hint)
    }
  }

  /// Forgets the storages that only removed or changed tensors were views of.
  private mutating func dropUnusedStorages() {
    guard !edits.isEmpty, var archive else { return }
    let reachable = Set(graph.reachable(from: [graph.root]))
    var before: Set<ExactString> = []
    var after: Set<ExactString> = []
    for storage in graph.storages { before.insert(ExactString(storage.recordName)) }
    for tensor in graph.tensors where reachable.contains(tensor.node) {
      if let id = tensor.storage { after.insert(ExactString(graph[id].recordName)) }
    }
    archive.records.removeAll { record in
      guard case .storage(let name, _) = record else { return false }
      return before.contains(ExactString(name)) && !after.contains(ExactString(name))
    }
    self.archive = archive
  }

  private static let hint = "--ignore-skeleton takes the tensors without the rest of the object"
}
