internal import Bytes
internal import Graph
internal import Pickle

extension SkeletonBinder {
  /// Compares what the file should have for the leaves of the object with what it has, and follows
  /// the file.
  ///
  /// - Throws: `unsupported` for changes that the object cannot follow, `conflict` where two copies
  ///   of a tensor have become two tensors.
  mutating func settle() throws(FormatError) {
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
    try addUnusedEntries(leaves)
    try changes.apply(to: &graph)
  }

  private mutating func settle(
    _ leaf: Leaf, _ leaves: Leaves, name: String, source: (name: String, entry: Int?),
    label: @autoclosure () -> String
  ) throws(FormatError) {
    if ExactString(name) != ExactString(source.name), let index = entries.index(of: name) {
      // Another place of the same tensor, with its bytes once more.
      let entry = use(index)
      guard case .tensor(let id) = graph[leaf.node], entry.describes(graph[id]) else {
        throw SkeletonEdits.refusal(
          "'\(label())' is one tensor with '\(self.label(of: source.name))', and they differ now",
          .conflict)
      }
      guard newStorages[ExactString(source.name)] == nil else {
        throw SkeletonEdits.refusal(
          "'\(label())' is one tensor with '\(self.label(of: source.name))', and both were changed",
          .conflict)
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
    try changes.put(value, in: leaf, leaves, label: label())
    edits.note(
      change: label(), from: graph.description(of: leaf.node, limit: 40),
      to: graph.description(of: value, limit: 40))
  }

  private mutating func remove(
    _ leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(FormatError) {
    try changes.remove(leaf, leaves, label: label)
    edits.note(removal: label)
  }
}
