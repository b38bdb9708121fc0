internal import CkptBase
internal import CkptGraph
internal import CkptPickle

/// Builds the dict of a file's entries.
struct EntryGraphBuilder: ~Copyable {
  /// A place in a dict: the dict and the number of the key.
  private struct Place: Hashable {
    var dict: NodeID
    var key: Int
  }

  /// The occupant of a place: its key, and its dict for longer paths or `nil` for a value.
  private struct Occupant {
    var key: NodeID
    var dict: NodeID?
  }

  private var machine: Unpickler
  private let data: EntryData
  private let root: NodeID
  /// Whether the file has one entry, which can then be the whole object.
  private let isOnly: Bool
  /// The occupants of the places so far.
  private var taken: [Place: Occupant] = [:]

  private var keys: KeyInterner
  private var lastShape = PackedShape()

  /// Creates a builder for the dict of `count` entries.
  init(_ data: EntryData, count: Int, dropsUnsafe: Bool) {
    keys = KeyInterner(headerByteCount: data.start)
    var graph = TensorGraph()
    graph.reserveCapacity(tensorCount: count)
    root = graph.addEmptyRoot()
    machine = Unpickler(graph: graph, unsafeGlobals: dropsUnsafe ? .drop : .refuse)
    self.data = data
    isOnly = count == 1
  }

  var warnings: [String] { machine.dropped.warnings }

  /// Returns the graph.
  ///
  /// - Throws: `malformed` for keys in OLMo's names that Python cannot hash, or that are equal to
  ///   it.
  consuming func finish() throws(CheckpointError) -> TensorGraph {
    let dicts = [root] + taken.values.compactMap(\.dict)
    var graph = machine.finish()
    guard !taken.isEmpty else { return graph }
    let counts = dicts.map { graph.entries(of: $0)?.count }
    try graph.unifyEqualKeys(from: 0)
    guard counts == dicts.map({ graph.entries(of: $0)?.count }) else { throw Self.conflict }
    return graph
  }

  mutating func addNamed(_ entry: SafetensorsHeaderEntry) throws(CheckpointError) {
    let key = try machine.graph.addString(entry.name)
    try set(key, to: tensor(entry), in: root)
  }

  /// Adds the names that the metadata maps to an entry, as views of its tensor.
  mutating func addAliases(_ header: SafetensorsHeader.Contents) throws(CheckpointError) {
    guard header.metadata.contains(where: { $0.key != "format" }) else { return }
    let table = EntryTable(header.entries)
    for (name, entry) in TiedNames.aliases(in: header.metadata, of: table) {
      guard case .dict(let run) = machine.graph[root],
        case .tensor(let id) = machine.graph[machine.graph.child(2 * entry + 1, of: run)]
      else { continue }
      try set(machine.graph.addString(name), to: machine.graph.addView(of: id), in: root)
    }
  }

  mutating func addKeyed(_ entry: SafetensorsHeaderEntry) throws(CheckpointError) {
    let key = try OLMoNameDecoder.decode(entry.name, with: &machine)
    let value = try key.isPickled ? data.value(of: entry, with: &machine) : tensor(entry)
    guard let last = key.path.last else {
      guard isOnly else { throw Self.conflict }
      machine.graph.root = value
      return
    }
    let (parent, name) = try place(at: key.path.dropLast(), last)
    let occupant = Occupant(key: name, dict: nil)
    guard try taken.updateValue(occupant, forKey: place(of: name, in: parent)) == nil else {
      throw Self.conflict
    }
    try set(name, to: value, in: parent)
  }

  /// Returns the dict at the end of a path of keys, which is created if needed, and the key in it.
  ///
  /// Names repeat the keys of their dicts. An object that is shared with such a key is shared with
  /// the key that the dict has from another name.
  private mutating func place(
    at path: ArraySlice<NodeID>, _ last: NodeID
  ) throws(CheckpointError) -> (dict: NodeID, key: NodeID) {
    var parent = root
    var known: [NodeID: NodeID] = [:]
    for key in path {
      let key = try replacing(key, by: known)
      let place = try place(of: key, in: parent)
      if let occupant = taken[place] {
        guard let dict = occupant.dict else { throw Self.conflict }
        note(occupant.key, insteadOf: key, in: &known)
        parent = dict
      } else {
        let child = try machine.graph.add(.dict(.empty))
        try set(key, to: child, in: parent)
        taken[place] = Occupant(key: key, dict: child)
        parent = child
      }
    }
    return (parent, try replacing(last, by: known))
  }

  /// Records an equal key, and the elements of a tuple.
  private func note(
    _ known: NodeID, insteadOf key: NodeID, in replacements: inout [NodeID: NodeID]
  ) {
    guard known != key else { return }
    replacements[key] = known
    guard let elements = machine.graph.tuple(key), let others = machine.graph.tuple(known) else {
      return
    }
    for (element, other) in zip(elements, others) { replacements[element] = other }
  }

  /// Replaces a key, or the elements of a tuple, by the known ones.
  private mutating func replacing(
    _ key: NodeID, by known: [NodeID: NodeID]
  ) throws(CheckpointError) -> NodeID {
    if known.isEmpty { return key }
    if let other = known[key] { return other }
    guard let elements = machine.graph.tuple(key), elements.contains(where: { known[$0] != nil })
    else { return key }
    let replaced = elements.map { known[$0] ?? $0 }
    return try machine.graph.add(.tuple(machine.graph.addChildren(replaced[...])))
  }

  private mutating func place(of key: NodeID, in dict: NodeID) throws(CheckpointError) -> Place {
    Place(dict: dict, key: try keys.number(of: key, in: machine.graph))
  }

  private static var conflict: CheckpointError {
    CheckpointError(.malformed, "another tensor has the same keys or a part of them")
  }

  private mutating func set(
    _ key: NodeID, to value: NodeID, in dict: NodeID
  ) throws(CheckpointError) {
    guard case .dict(var run) = machine.graph[dict] else { return }
    machine.graph.append(key, value, to: &run)
    machine.graph.replace(dict, with: .dict(run))
  }

  private mutating func tensor(_ entry: SafetensorsHeaderEntry) throws(CheckpointError) -> NodeID {
    let node = try machine.graph.add(.none)
    let tensor = data.tensor(entry, node: node, in: &machine.graph, &lastShape)
    machine.graph.add(tensor)
    return node
  }
}

/// Numbers keys, equal ones alike, so that a long key is stored once.
struct KeyInterner {
  private var known: [NodeID: Int] = [:]
  private var numbers: [[UInt8]: Int] = [:]
  /// The number of bytes of pickled keys that may still be read: several times the need of a file
  /// whose names spell out each key.
  private var budget: Int

  /// Creates numbers for a file with a header of `headerByteCount` bytes.
  init(headerByteCount: Int) { budget = 16 * headerByteCount + (1 << 16) }

  /// Returns the number of a key.
  ///
  /// - Throws: `unsupported` for a key that cannot be pickled for OLMo's layout, `limitExceeded` if
  ///   the names of a file refer to keys that are much longer than the names.
  mutating func number(of key: NodeID, in graph: TensorGraph) throws(CheckpointError) -> Int {
    if let number = known[key] { return number }
    let pickle = try Pickler.pickle(key, of: graph, protocol: TensorNames.olmoProtocol)
    budget -= pickle.count
    guard budget >= 0 else {
      throw CheckpointError(
        .limitExceeded, "the keys in the names are much longer than the names",
        remedy: "do not use this file; it was made to exhaust its readers")
    }
    let number = numbers[pickle] ?? numbers.count
    numbers[pickle] = number
    known[key] = number
    return number
  }
}
