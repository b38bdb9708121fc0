internal import Bytes
internal import Graph
internal import Pickle

/// Builds the dict that a file's entries stand for.
struct EntryGraphBuilder: ~Copyable {
  /// A place in a dict: the dict and the pickle of the key.
  private struct Place: Hashable {
    var dict: NodeID
    var key: [UInt8]
  }

  private var machine: Unpickler
  private let data: EntryData
  private let root: NodeID
  /// Whether the file has one entry, which alone may stand for the whole object.
  private let isOnly: Bool
  /// What stands in the places taken so far: a dict made for longer paths, or `nil` for a value.
  private var taken: [Place: NodeID?] = [:]

  init(_ data: EntryData, isOnly: Bool, dropsUnsafe: Bool) {
    var graph = TensorGraph()
    root = graph.addEmptyRoot()
    machine = Unpickler(graph: graph, unsafeGlobals: dropsUnsafe ? .drop : .refuse)
    self.data = data
    self.isOnly = isOnly
  }

  var warnings: [String] { machine.warnings }

  consuming func finish() -> TensorGraph { machine.finish() }

  mutating func addNamed(_ entry: SafetensorsHeaderEntry) throws(FormatError) {
    let key = try machine.graph.addString(entry.name)
    try set(key, to: tensor(entry), in: root)
  }

  mutating func addKeyed(_ entry: SafetensorsHeaderEntry) throws(FormatError) {
    let key = try OLMoNameDecoder.decode(entry.name, with: &machine)
    let value = try key.isPickled ? data.value(of: entry, with: &machine) : tensor(entry)
    guard let last = key.path.last else {
      guard isOnly else { throw Self.conflict }
      machine.graph.root = value
      return
    }
    let parent = try dict(at: key.path.dropLast())
    guard taken.updateValue(nil, forKey: try place(of: last, in: parent)) == nil else {
      throw Self.conflict
    }
    try set(last, to: value, in: parent)
  }

  /// The dict that a path of keys leads to, made where it does not exist.
  private mutating func dict(at path: ArraySlice<NodeID>) throws(FormatError) -> NodeID {
    var parent = root
    for key in path {
      let place = try place(of: key, in: parent)
      if let known = taken[place] {
        guard let dict = known else { throw Self.conflict }
        parent = dict
      } else {
        let child = try machine.graph.add(.dict(.empty))
        try set(key, to: child, in: parent)
        taken[place] = child
        parent = child
      }
    }
    return parent
  }

  private func place(of key: NodeID, in dict: NodeID) throws(FormatError) -> Place {
    Place(
      dict: dict,
      key: try Pickler.pickle(key, of: machine.graph, protocol: TensorNames.olmoProtocol))
  }

  private static var conflict: FormatError {
    FormatError(.malformed, "another tensor has the same keys, or some of them")
  }

  private mutating func set(
    _ key: NodeID, to value: NodeID, in dict: NodeID
  ) throws(FormatError) {
    guard case .dict(var run) = machine.graph[dict] else { return }
    machine.graph.append([key, value], to: &run)
    machine.graph.replace(dict, with: .dict(run))
  }

  private mutating func tensor(_ entry: SafetensorsHeaderEntry) throws(FormatError) -> NodeID {
    let node = try machine.graph.add(.none)
    let tensor = data.tensor(entry, node: node, in: &machine.graph)
    machine.graph.add(tensor)
    return node
  }
}
