internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptSkeleton

extension SkeletonBinder {
  /// Adds the entries that the object has no place for yet to its dicts.
  ///
  /// - Throws: `unsupported` for an entry whose container is not a dict, `conflict` for a place
  ///   with a value.
  mutating func addUnusedEntries(_ leaves: Leaves) throws(CheckpointError) {
    let additions = unusedEntries()
    guard !additions.isEmpty else { return }
    var places = try InsertionPoints(graph: machine.graph, leaves: leaves, layout: layout)
    var grown: Set<NodeID> = []
    for entry in additions { grown.insert(try add(entry, &places)) }
    for dict in grown where try machine.graph.hasEqualKeys(dict) {
      throw EditLog.refusal(
        "tensors were added where the object has other values", .conflict)
    }
  }

  /// Adds a new entry and returns its dict.
  private mutating func add(
    _ entry: SafetensorsHeaderEntry, _ places: inout InsertionPoints
  ) throws(CheckpointError) -> NodeID {
    let (place, value) = try CheckpointError.within("tensor '\(entry.name)'") {
      () throws(CheckpointError) in
      let place = try places.place(for: entry.name, with: &machine)
      guard !place.isPickled else { return (place, try data.value(of: entry, with: &machine)) }
      let node = try machine.graph.add(.none)
      var shape = PackedShape()
      let tensor = data.tensor(entry, node: node, in: &machine.graph, &shape)
      machine.graph.add(tensor)
      return (place, node)
    }
    guard machine.graph.appendEntry(key: place.key, value: value, to: place.dict) else {
      throw EditLog.refusal("'\(place.label)' was added, but the object is not a dict")
    }
    edits.note(addition: place.label)
    return place.dict
  }
}

/// Finds the dicts for entries that were added to a file: the deepest dict whose name is a prefix
/// of theirs.
struct InsertionPoints {
  /// A place for a value.
  struct Place {
    /// The dict.
    var dict: NodeID
    /// The key of the value.
    var key: NodeID
    /// Whether the entry is the pickle of the value.
    var isPickled = false
    /// The place in words.
    var label: String
  }

  private let layout: Layout
  /// The dicts by their dotted names or, in the layout `olmo`, by the pickles of their keys.
  private var dicts: [ExactString: NodeID]
  /// The lengths of the names in ``dicts``.
  ///
  /// A name of only dots begins with many others.
  private var nameLengths: Set<Int> = []
  /// The number of bytes of the names in ``dicts`` and of the searched names.
  private var byteCount = 0

  /// Finds the dicts of `graph`, whose leaves are known.
  ///
  /// - Throws: `unsupported` for keys that cannot be pickled for OLMo's layout.
  init(graph: TensorGraph, leaves: Leaves, layout: Layout) throws(CheckpointError) {
    self.layout = layout
    dicts =
      layout == .plain ? [:] : [ExactString(try TensorNames.olmoKey([], of: graph)): graph.root]
    let names = TensorNames(graph: graph, layout: layout)
    for (node, path) in leaves.containers where graph.entries(of: node) != nil {
      let name =
        switch layout {
        case .plain: path.isEmpty ? "" : names.plainName(of: path)
        case .olmo: try TensorNames.olmoKey(path, of: graph)
        }
      try count(name)
      nameLengths.insert(name.utf8.count)
      dicts[ExactString(name)] = node
    }
    dicts[ExactString("")] = graph.root
  }

  /// Returns the place for the entry `name`.
  ///
  /// Dicts on the way are created.
  ///
  /// - Throws: `malformed` for a name of another layout, `forbidden` for one that can run code.
  mutating func place(
    for name: String, with machine: inout Unpickler
  ) throws(CheckpointError) -> Place {
    switch layout {
    case .plain: try dottedPlace(for: name, in: &machine.graph)
    case .olmo: try keyedPlace(for: name, with: &machine)
    }
  }

  /// Limits the memory for names that repeat each other's beginnings.
  private mutating func count(_ name: String) throws(CheckpointError) {
    byteCount += name.utf8.count
    guard byteCount <= Limits.safetensorsHeaderBytes else {
      throw CheckpointError(
        .limitExceeded, "the names of containers have more than \(byteCount) bytes in total",
        remedy: "do not use this file; it was made to exhaust its readers")
    }
  }

  private func dottedPlace(
    for name: String, in graph: inout TensorGraph
  ) throws(CheckpointError) -> Place {
    let dots = name.utf8.enumerated().filter { $0.element == UInt8(ascii: ".") }
    for (length, _) in dots.reversed() where nameLengths.contains(length) {
      let dot = name.utf8.index(name.startIndex, offsetBy: length)
      guard let dict = dicts[ExactString(String(name[..<dot]))] else { continue }
      let key = String(name[name.utf8.index(after: dot)...])
      return Place(dict: dict, key: try graph.addString(key), label: name)
    }
    return Place(dict: graph.root, key: try graph.addString(name), label: name)
  }

  private mutating func keyedPlace(
    for name: String, with machine: inout Unpickler
  ) throws(CheckpointError) -> Place {
    let decoded = try OLMoNameDecoder.decode(name, with: &machine)
    let path = decoded.path.map { PathComponent.key($0) }
    guard let last = decoded.path.last else {
      throw CheckpointError(.malformed, "the name has no keys")
    }
    var dict = machine.graph.root
    for length in 1..<path.count {
      let text = try TensorNames.olmoKey(Array(path.prefix(length)), of: machine.graph)
      try count(text)
      let name = ExactString(text)
      if let known = dicts[name] {
        dict = known
      } else {
        let inner = try machine.graph.add(.dict(.empty))
        guard machine.graph.appendEntry(key: decoded.path[length - 1], value: inner, to: dict)
        else {
          throw CheckpointError(
            .unsupported, "the object is not a dict, so it cannot hold the tensor")
        }
        dicts[name] = inner
        dict = inner
      }
    }
    let names = TensorNames(graph: machine.graph, layout: .olmo)
    return Place(
      dict: dict, key: last, isPickled: decoded.isPickled, label: names.plainName(of: path))
  }
}
