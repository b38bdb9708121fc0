internal import CkptBase
internal import CkptGraph
internal import CkptPickle
internal import CkptPlan
internal import CkptSkeleton

/// What becomes of the leaves of a graph in a file: tensors under names, values as pickles, or
/// nothing.
struct EntryAssignment {
  /// The tensors that have data, under all of their names.
  private(set) var tensors: [(name: String, id: TensorID)] = []
  /// The tensors without data.
  private(set) var dataless: [TensorID] = []
  /// The values that are pickled.
  private(set) var values: [SafetensorsEntry] = []
  /// What to tell of all that.
  private(set) var notes: EncodingNotes
  private let graph: TensorGraph
  private let layout: Layout
  private var names: TensorNames
  /// Containers of tensors that OLMo's loader will return as dicts.
  private var flattenedContainers: Set<ExactString> = []
  /// The bytes of ``values``.
  private var pickledByteCount = 0

  /// Paths whose names were taken and got a number.
  var renamed: [String] { names.renamed }

  /// Gives each leaf of `graph` its name.
  ///
  /// - Throws: `unsupported` for keys and values that OLMo's layout has no way to pickle,
  ///   `limitExceeded` where leaves, names or values multiply beyond ``Limits``.
  init(of graph: TensorGraph, layout: Layout, notes: EncodingNotes) throws(CheckpointError) {
    self.graph = graph
    self.layout = layout
    self.notes = notes
    let leaves = try LeafWalk.leaves(of: graph)
    names = TensorNames(graph: graph, layout: layout, count: leaves.all.count)
    tensors.reserveCapacity(graph.tensors.count)
    for leaf in leaves.all { try place(leaf, among: leaves) }
  }

  private mutating func place(_ leaf: Leaf, among leaves: Leaves) throws(CheckpointError) {
    if leaf.kind == .tensor {
      guard case .tensor(let id) = graph[leaf.node] else { return }
      return try place(id, leaf, among: leaves)
    }
    let path = leaves.path(to: leaf)
    switch leaf.kind {
    case .tensor: return
    case .value: try placeValue(leaf, at: path)
    case .emptyMapping: noteEmptyMapping(at: path)
    case .cycle: notes.lose("'\(names.plainName(of: path))' is a container that holds itself")
    }
  }

  private mutating func place(
    _ id: TensorID, _ leaf: Leaf, among leaves: Leaves
  ) throws(CheckpointError) {
    guard graph.tensors[graph.index(of: id)].storage != nil else {
      dataless.append(id)
      return notes.lose(
        "tensor '\(names.plainName(of: leaves.path(to: leaf)))' is on the meta device and has no data"
      )
    }
    if layout == .plain {
      tensors.append((names.plainName(of: leaf, among: leaves), id))
      return
    }
    let path = leaves.path(to: leaf)
    // What lies inside of a tensor has a key beside it.
    if leaf.tensorStepCount == nil { noteFlattenedContainer(on: path) }
    tensors.append((try names.name(of: leaf, at: path), id))
  }

  /// OLMo has dicts of tensors only; lists and objects become dicts to its loader.
  private mutating func noteFlattenedContainer(on path: [PathComponent]) {
    guard layout == .olmo,
      let step = path.firstIndex(where: { if case .key = $0 { false } else { true } })
    else { return }
    let container = names.plainName(of: Array(path[..<step]))
    guard flattenedContainers.insert(ExactString(container)).inserted else { return }
    notes.hide(
      "'\(container)' holds tensors and is not a dict: OLMo's loader will return it as one")
  }

  private mutating func placeValue(
    _ leaf: Leaf, at path: [PathComponent]
  ) throws(CheckpointError) {
    guard layout == .olmo else {
      return notes.lose(
        "'\(names.plainName(of: path))' is \(graph.description(of: leaf.node, limit: 40)), "
          + "not a tensor")
    }
    let bytes = try CheckpointError.within(names.plainName(of: path)) {
      () throws(CheckpointError) in
      try Pickler.pickle(
        leaf.node, of: graph, protocol: TensorNames.olmoProtocol, strings: .asLoaded())
    }
    pickledByteCount += bytes.count
    guard
      pickledByteCount <= Limits.pickledValuesAtLeast
        + Limits.pickledPerTextByte * graph.textByteCount
    else {
      throw CheckpointError(
        .limitExceeded, "values share objects, and pickled one by one they take too many bytes",
        remedy: .action(.usePlainLayout))
    }
    values.append(
      SafetensorsEntry(
        name: try names.name(of: leaf, at: path, isPickled: true), dtype: .u8, shape: [bytes.count],
        data: [.literal(bytes)]))
  }

  private mutating func noteEmptyMapping(at path: [PathComponent]) {
    guard !notes.hasSkeleton, !path.isEmpty else { return }
    notes.warn(
      "'\(names.plainName(of: path))' is an empty dict and has no place without a skeleton")
  }
}

/// One tensor of a safetensors file under construction.
struct SafetensorsEntry {
  /// The tensor's name.
  var name: String
  /// The type of its elements.
  var dtype: SafetensorsDType
  /// The shape that the header gives.
  var shape: [Int]
  /// The bytes, run after run; none for a tensor without elements.
  var data: [Segment]
  /// The size of the data in bytes.
  let byteCount: Int

  /// An entry of these bytes.
  init(name: String, dtype: SafetensorsDType, shape: [Int], data: [Segment]) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.data = data
    byteCount = data.reduce(0) { $0 + $1.byteCount }
  }

  /// The order of the reference writer: by type, then by the bytes of the name.
  static func precedes(_ first: SafetensorsEntry, _ second: SafetensorsEntry) -> Bool {
    if first.dtype != second.dtype { return first.dtype.rawValue < second.dtype.rawValue }
    return first.name.precedes(second.name)
  }
}
