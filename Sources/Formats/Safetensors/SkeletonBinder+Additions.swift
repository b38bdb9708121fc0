internal import Bytes
internal import Graph
internal import Pickle

extension SkeletonBinder {
  /// Puts the entries that the object has no place for yet into its dicts.
  ///
  /// - Throws: `unsupported` for an entry that belongs into what is no dict, `conflict` where there
  ///   is a value already.
  mutating func addUnusedEntries(_ leaves: Leaves) throws(FormatError) {
    let additions = unusedEntries()
    guard !additions.isEmpty else { return }
    var places = try AdditionPlaces(graph: graph, leaves: leaves, layout: layout)
    var grown: Set<NodeID> = []
    for entry in additions { grown.insert(try add(entry, &places)) }
    for dict in grown where try graph.hasEqualKeys(dict) {
      throw SkeletonEdits.refusal(
        "tensors were added in places where the object has other values", .conflict)
    }
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
      throw SkeletonEdits.refusal("'\(place.label)' was added, and the object is not a dict")
    }
    edits.note(addition: place.label)
    return place.dict
  }

  /// Runs `body` with a machine that adds to the graph.
  mutating func withMachine<Result>(
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
}
